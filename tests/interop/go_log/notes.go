package main

import (
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

const mldsa44Cosignature = 0x06

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

// newVerifier leaves Ed25519 to x/mod/note and knows the ML-DSA-44 cosigner's keys, which it does not.
func newVerifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("a vkey has three parts")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) == 0 || material[0] != mldsa44Cosignature {
		return note.NewVerifier(vkey)
	}
	public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), material[1:])
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	if parts[1] != fmt.Sprintf("%08x", id[:4]) {
		return nil, errors.New("the id is another key's")
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(id[:4]), public}, nil
}

// cosigner checks signatures of c2sp.org/tlog-cosignature, type 0x06.
type cosigner struct {
	name   string
	hash   uint32
	public *mldsa.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, signature []byte) bool {
	origin, tree, err := parseCheckpoint(string(text))
	if err != nil || len(signature) < 8 {
		return false
	}
	message := []byte("subtree/v1\n\x00")
	message = append(message, byte(len(c.name)))
	message = append(message, c.name...)
	message = append(message, signature[:8]...)
	message = append(message, byte(len(origin)))
	message = append(message, origin...)
	message = binary.BigEndian.AppendUint64(message, 0)
	message = binary.BigEndian.AppendUint64(message, uint64(tree.N))
	message = append(message, tree.Hash[:]...)
	return mldsa.Verify(c.public, message, signature[8:], nil) == nil
}

// checkMldsa65 checks the second signature of a DSSE envelope: FIPS 204, pure, with an empty context.
func checkMldsa65(asked request) (answer, error) {
	public, err := mldsa.NewPublicKey(mldsa.MLDSA65(), asked.Public)
	if err != nil {
		return answer{}, err
	}
	return answer{}, mldsa.Verify(public, asked.Message, asked.Signature, nil)
}
