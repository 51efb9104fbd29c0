package api_test

import (
	"encoding/base64"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// drawings is how many messages are drawn for each method and role.
const drawings = 4

// TestArgumentsThatNobodyMeans: whatever is in a message, a method answers or refuses, and never fails. The messages
// are drawn, with values from the edges and from the hall, by those who get furthest into the methods.
func TestArgumentsThatNobodyMeans(t *testing.T) {
	h := newHall(t)
	values := []string{
		"", " ", "x", "worker", "chief", "kikaku", h.desk, h.open, h.wake, h.notice, h.fresh(t, "request"), h.fresh(t, "absence"), h.fresh(t, "check"),
		h.today.String(), h.next().String(), "0000-01-01", "9999-12-31", h.today.InMonth().String(), "9999-12", "-1", "'; DROP TABLE users; --",
		"../../etc/passwd", "=1+1", "<script>", "\x00", "\r\nBcc: x", "\u202e\ufeff", strings.Repeat("長", 300), strings.Repeat("x", 5000), "127.0.0.0/8", "99999999999999999999.x",
	}
	d := &drawer{random: rand.New(rand.NewPCG(3, 6)), texts: values} //nolint:gosec // the same in every run
	for _, r := range roles {
		if !strings.ContainsRune("ABHG", rune(r.letter)) {
			continue
		}
		who := h.enter(t, r)
		inputs := methods()
		for _, method := range slices.Sorted(maps.Keys(inputs)) {
			h.clock.forward(10 * time.Second) // or there would be too many calls in a minute

			if method == "Auth/SignOut" || method == "Admin/UpdateSettings" { // these close the door
				continue
			}
			for range drawings {
				body, err := protojson.Marshal(d.message(inputs[method], 0))
				if err != nil {
					t.Fatal(err)
				}
				if letter, answer := who.call(t, method, string(body)); letter == '!' {
					t.Errorf("%s by %s: %.2000s: %s", method, r.name, body, answer)
				}
			}
		}
	}
}

// methods are the inputs of all methods of the contract.
func methods() map[string]protoreflect.MessageDescriptor {
	all := map[string]protoreflect.MessageDescriptor{}
	protoregistry.GlobalFiles.RangeFilesByPackage("jiseki.control.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				all[strings.TrimSuffix(string(service.Name()), "Service")+"/"+string(m.Name())] = m.Input()
			}
		}
		return true
	})
	return all
}

// drawer draws messages.
type drawer struct {
	random *rand.Rand
	texts  []string
}

// message draws most fields of a message, and those of the messages in it.
func (d *drawer) message(of protoreflect.MessageDescriptor, depth int) *dynamicpb.Message {
	m := dynamicpb.NewMessage(of)
	for i := range of.Fields().Len() {
		field := of.Fields().Get(i)
		switch {
		case d.random.IntN(5) == 0, depth > 3:
		case field.IsList():
			list := m.Mutable(field).List()
			for range d.random.IntN(4) {
				list.Append(d.value(field, depth))
			}
		default:
			m.Set(field, d.value(field, depth))
		}
	}
	return m
}

func (d *drawer) value(field protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	numbers := []int64{0, 1, 2, 3, -1, 60, 510, 1440, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	n := numbers[d.random.IntN(len(numbers))]
	text := d.texts[d.random.IntN(len(d.texts))]
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text)
	case protoreflect.BytesKind:
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) > 0 {
			return protoreflect.ValueOfBytes(b)
		}
		return protoreflect.ValueOfBytes([]byte(text))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n&1 == 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(d.random.IntN(10) - 1)) //nolint:gosec // small
	case protoreflect.MessageKind:
		return protoreflect.ValueOfMessage(d.message(field.Message(), depth+1))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n)) //nolint:gosec // any will do
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(n)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(n)) //nolint:gosec // any will do
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(n)) //nolint:gosec // any will do
	}
	return field.Default()
}
