package cert

// A Nonce is drawn by the gateway for one proof.
type Nonce [32]byte

// A SessionID names a session.
type SessionID [16]byte

// A Request is what a device signs before a grant is minted for it.
type Request struct {
	Nonce    Nonce
	Session  SessionID
	User     string // id
	Desk     string // id
	NoiseKey NoiseKey
}

// A SignIn is what a device signs when a user signs in on it.
type SignIn struct {
	Nonce  Nonce
	User   string // id
	Device string // id
}

// An Enrol is what a device or a desk signs when it is enrolled: proof that it holds the key.
type Enrol struct {
	Nonce Nonce
	Key   PublicKey
}

// An AgentHello is what a desk signs when its agent connects.
type AgentHello struct {
	Nonce     Nonce
	Desk      string   // id
	Statement [32]byte // DeskStatement.Hash
}

// Sign signs with the device's identity key.
func (p Request) Sign(k PrivateKey) (Signature, error) {
	return signProof(k, ContextRequest, p.append(nil), p.User, p.Desk)
}

// Verify checks a signature of Sign. Errors are *Error: CodeSignature, or CodeRange for an id that is empty or too long.
func (p Request) Verify(k PublicKey, sig Signature) error {
	return verifyProof(k, ContextRequest, p.append(nil), sig, p.User, p.Desk)
}

func (p Request) append(b []byte) []byte {
	b = append(b, p.Nonce[:]...)
	b = append(b, p.Session[:]...)
	b = AppendString(b, p.User)
	b = AppendString(b, p.Desk)
	return append(b, p.NoiseKey[:]...)
}

// Sign signs with the device's identity key.
func (p SignIn) Sign(k PrivateKey) (Signature, error) {
	return signProof(k, ContextSignIn, p.append(nil), p.User, p.Device)
}

// Verify checks a signature of Sign. Errors are *Error: CodeSignature, or CodeRange for an id that is empty or too long.
func (p SignIn) Verify(k PublicKey, sig Signature) error {
	return verifyProof(k, ContextSignIn, p.append(nil), sig, p.User, p.Device)
}

func (p SignIn) append(b []byte) []byte {
	b = append(b, p.Nonce[:]...)
	b = AppendString(b, p.User)
	return AppendString(b, p.Device)
}

// Sign signs with the key that is enrolled.
func (p Enrol) Sign(k PrivateKey) (Signature, error) { return k.Sign(ContextEnrol, p.append(nil)) }

// Verify checks a signature of Sign by p.Key itself. Errors are *Error with CodeSignature.
func (p Enrol) Verify(sig Signature) error { return p.Key.Verify(ContextEnrol, p.append(nil), sig) }

func (p Enrol) append(b []byte) []byte {
	b = append(b, p.Nonce[:]...)
	return append(b, p.Key[:]...)
}

// Sign signs with the desk's identity key.
func (p AgentHello) Sign(k PrivateKey) (Signature, error) {
	return signProof(k, ContextAgent, p.append(nil), p.Desk)
}

// Verify checks a signature of Sign. Errors are *Error: CodeSignature, or CodeRange for an id that is empty or too long.
func (p AgentHello) Verify(k PublicKey, sig Signature) error {
	return verifyProof(k, ContextAgent, p.append(nil), sig, p.Desk)
}

func (p AgentHello) append(b []byte) []byte {
	b = append(b, p.Nonce[:]...)
	b = AppendString(b, p.Desk)
	return append(b, p.Statement[:]...)
}

func signProof(k PrivateKey, context Context, message []byte, ids ...string) (Signature, error) {
	if err := checkIDs(context, ids); err != nil {
		return Signature{}, err
	}
	return k.Sign(context, message)
}

func verifyProof(k PublicKey, context Context, message []byte, sig Signature, ids ...string) error {
	if err := checkIDs(context, ids); err != nil {
		return err
	}
	return k.Verify(context, message, sig)
}

// checkIDs keeps apart what would be ambiguous with a length byte that overflows.
func checkIDs(context Context, ids []string) error {
	for _, id := range ids {
		if len(id) < 1 || len(id) > MaxID {
			return &Error{What: string(context), Code: CodeRange}
		}
	}
	return nil
}
