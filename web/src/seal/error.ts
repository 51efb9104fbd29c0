/**
 * Why a session did not open or ended.
 * - handshake: message 2 does not open or has a wrong form
 * - version, coder: the agent chose what was not offered
 * - grant: the grant is not the one that was asked for
 * - peer_identity: the desk's certificate, statement or signature
 * - open: a record does not open: changed, replayed, out of order, or another key
 * - size, record: a record's size or form is not allowed
 * - order: a first message is not what it must be
 * - too_large: a message above the limit
 * - pipe: the link ended
 * - closed: this side closed the session
 */
export type Failure =
  | "handshake"
  | "version"
  | "coder"
  | "grant"
  | "peer_identity"
  | "open"
  | "size"
  | "record"
  | "order"
  | "too_large"
  | "pipe"
  | "closed";

/** The error of this folder. It holds no secret; a CertError as its cause says more. */
export class SealError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, detail = "", cause?: unknown) {
    super(detail === "" ? `seal: ${failure}` : `seal: ${failure}: ${detail}`, { cause });
    this.name = "SealError";
    this.failure = failure;
  }
}
