package main

import (
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	ed25519Cosignature = 0x04
	mldsa44Cosignature = 0x06
)

// openNote has x/mod/note check a signed note by these keys; at least one must have signed.
func openNote(asked request) (answer, error) {
	var verifiers []note.Verifier
	for _, vkey := range asked.Vkeys {
		verifier, err := newVerifier(vkey)
		if err != nil {
			return answer{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(asked.Note, note.VerifierList(verifiers...))
	if err != nil {
		return answer{}, err
	}
	origin, tree, err := parseCheckpoint(opened.Text)
	if err != nil {
		return answer{}, err
	}
	given := answer{Origin: origin, Size: tree.N, Root: tree.Hash[:]}
	for _, line := range opened.Sigs {
		given.Names = append(given.Names, fmt.Sprintf("%s+%08x", line.Name, line.Hash))
	}
	return given, nil
}

// parseCheckpoint reads the three lines of c2sp.org/tlog-checkpoint; x/mod's ParseTree wants another first line.
func parseCheckpoint(text string) (string, tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return "", tlog.Tree{}, errors.New("not a checkpoint of three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", tlog.Tree{}, errors.New("not a size")
	}
	root, err := tlog.ParseHash(lines[2])
	return lines[0], tlog.Tree{N: size, Hash: root}, err
}

// newVerifier leaves a log's Ed25519 keys to x/mod/note and knows the cosigners' keys, which it does not.
func newVerifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("a vkey has three parts")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) == 0 {
		return nil, errors.New("a vkey ends with its key")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	if parts[1] != fmt.Sprintf("%08x", id[:4]) {
		return nil, errors.New("the id is another key's")
	}
	verifier := cosigner{name: parts[0], hash: binary.BigEndian.Uint32(id[:4])}
	switch public := material[1:]; {
	case material[0] == mldsa44Cosignature:
		key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), public)
		if err != nil {
			return nil, err
		}
		verifier.check = func(text string, time, signature []byte) bool {
			message, err := subtreeMessage(verifier.name, text, time)
			return err == nil && mldsa.Verify(key, message, signature, nil) == nil
		}
	case material[0] == ed25519Cosignature && len(public) == ed25519.PublicKeySize:
		verifier.check = func(text string, time, signature []byte) bool {
			message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(time), text)
			return ed25519.Verify(public, []byte(message), signature)
		}
	default:
		return note.NewVerifier(vkey)
	}
	return &verifier, nil
}

// cosigner checks signatures of c2sp.org/tlog-cosignature: eight bytes of time, and what signs it too.
type cosigner struct {
	name  string
	hash  uint32
	check func(text string, time, signature []byte) bool
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, signature []byte) bool {
	return len(signature) > 8 && c.check(string(text), signature[:8], signature[8:])
}

// subtreeMessage is what an ML-DSA-44 cosigner signs: the whole tree as a subtree from leaf 0.
func subtreeMessage(name, text string, time []byte) ([]byte, error) {
	origin, tree, err := parseCheckpoint(text)
	if err != nil {
		return nil, err
	}
	message := []byte("subtree/v1\n\x00")
	message = append(message, byte(len(name)))
	message = append(message, name...)
	message = append(message, time...)
	message = append(message, byte(len(origin)))
	message = append(message, origin...)
	message = binary.BigEndian.AppendUint64(message, 0)
	message = binary.BigEndian.AppendUint64(message, uint64(tree.N))
	return append(message, tree.Hash[:]...), nil
}

// checkMldsa65 checks the second signature of a DSSE envelope: FIPS 204, pure, with an empty context.
func checkMldsa65(asked request) (answer, error) {
	public, err := mldsa.NewPublicKey(mldsa.MLDSA65(), asked.Public)
	if err != nil {
		return answer{}, err
	}
	return answer{}, mldsa.Verify(public, asked.Message, asked.Signature, nil)
}
