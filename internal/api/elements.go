package api

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// maxDepth bounds what stands inside each other in a body; the messages of the API are five deep at most.
const maxDepth = 32

var (
	errElements = errors.New("a body has too many elements")
	errDepth    = errors.New("a body is too deep")
	errForm     = errors.New("a body is malformed")
)

// inputOf is the message that a method of the API takes; the method exists.
func inputOf(procedure string) (protoreflect.MessageDescriptor, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(procedure, "/"), "/", ".")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	method, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, protoregistry.NotFound
	}
	return method.Input(), nil
}

// A counter counts what decoding a body would make, before anything is decoded: a body of a megabyte can hold half a
// million messages of a hundred bytes each.
type counter struct{ left int }

func (c *counter) take(n int) error {
	if c.left -= n; c.left < 0 {
		return errElements
	}
	return nil
}

// protobuf counts the fields of a message in its binary form and of all messages in it, and the elements of packed
// lists.
func (c *counter) protobuf(b []byte, d protoreflect.MessageDescriptor, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errForm
		}
		b = b[n:]
		n = protowire.ConsumeFieldValue(number, kind, b)
		if n < 0 {
			return errForm
		}
		if err := c.take(1); err != nil {
			return err
		}
		if field := d.Fields().ByNumber(number); field != nil && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(b)
			if err := c.inside(value, field, depth); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

// inside counts what a field of known length holds.
func (c *counter) inside(value []byte, field protoreflect.FieldDescriptor, depth int) error {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return c.protobuf(value, field.Message(), depth+1)
	case protoreflect.StringKind, protoreflect.BytesKind:
		return nil
	default:
		return c.take(len(value)) // a packed list: a byte an element at least
	}
}

// json counts objects, lists and their elements. What is no JSON is left to who decodes it.
func (c *counter) json(b []byte) error {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = endOfString(b, i+1)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			continue
		case ',':
		default:
			continue
		}
		if depth > maxDepth {
			return errDepth
		}
		if err := c.take(1); err != nil {
			return err
		}
	}
	return nil
}

// endOfString is where the string that begins at i has its closing quote, or the end of b.
func endOfString(b []byte, i int) int {
	for ; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}
