// Command stranger reads our log with Go's own code for Go's checksum database (golang.org/x/mod/sumdb).
//
// It takes one JSON request a line and gives one JSON answer a line. What is checked, it has checked by
// x/mod's `note` and `tlog` and by the standard library's Ed25519 and ML-DSA; here is only what x/mod does
// not know: the names of c2sp.org's tiles, the three lines of a checkpoint, and what a cosignature signs.
package main

import (
	"bufio"
	"encoding/json"
	"os"
)

type request struct {
	Op        string   `json:"op"`
	Note      []byte   `json:"note"`
	Vkeys     []string `json:"vkeys"`
	Folder    string   `json:"folder"`
	Index     int64    `json:"index"`
	Size      int64    `json:"size"`
	Root      []byte   `json:"root"`
	Leaf      []byte   `json:"leaf"`
	OldSize   int64    `json:"old_size"`
	OldRoot   []byte   `json:"old_root"`
	Proof     [][]byte `json:"proof"`
	Entries   [][]byte `json:"entries"`
	Public    []byte   `json:"public"`
	Message   []byte   `json:"message"`
	Signature []byte   `json:"signature"`
}

// An answer with an empty Error means that everything asked was checked and held.
type answer struct {
	Error   string   `json:"error"`
	Names   []string `json:"names,omitempty"`
	Origin  string   `json:"origin,omitempty"`
	Size    int64    `json:"size"`
	Root    []byte   `json:"root,omitempty"`
	Proof   [][]byte `json:"proof,omitempty"`
	Entries [][]byte `json:"entries,omitempty"`
}

var operations = map[string]func(request) (answer, error){
	"open_note":          openNote,
	"check_mldsa65":      checkMldsa65,
	"check_inclusion":    checkInclusion,
	"check_consistency":  checkConsistency,
	"audit_folder":       auditFolder,
	"consistency_folder": consistencyFromFolder,
	"grow":               grow,
	"root":               rootOfGrown,
	"prove_inclusion":    proveInclusion,
	"prove_consistency":  proveConsistency,
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			panic(err)
		}
		given, err := operations[asked.Op](asked)
		if err != nil {
			given = answer{Error: err.Error()}
		}
		if err := out.Encode(given); err != nil {
			panic(err)
		}
	}
}
