package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads the static files of a log: x/mod/tlog asks for tiles, and checks each against the tree's root.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var contents [][]byte
	for _, tile := range tiles {
		// x/mod writes "tile/8/0/x001/234.p/5"; c2sp.org/tlog-tiles leaves the height out.
		path := "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		content, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		contents = append(contents, content)
	}
	return contents, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads the bundle of 256 entries (or the last, partial one) with this number.
func (f folder) entries(number, size int64) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: number, W: int(min(1<<height, size-number<<height))}
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
	content, err := os.ReadFile(filepath.Join(string(f), path))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(content) > 0 {
		if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
			return nil, errors.New("a bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(content))
		entries, content = append(entries, content[2:end]), content[end:]
	}
	if len(entries) != tile.W {
		return nil, errors.New("a bundle holds another number of entries")
	}
	return entries, nil
}

// auditFolder checks all that a folder holds, from its own checkpoint down: signatures, every tile that is
// needed, every entry against its leaf, and for each leaf a proof of inclusion out of the tiles.
func auditFolder(asked request) (answer, error) {
	checkpoint, err := os.ReadFile(filepath.Join(asked.Folder, "checkpoint"))
	if err != nil {
		return answer{}, err
	}
	asked.Note = checkpoint
	given, err := openNote(asked)
	if err != nil {
		return answer{}, err
	}
	tree, err := treeOf(given.Size, given.Root)
	if err != nil {
		return answer{}, err
	}
	reader := tlog.TileHashReader(tree, folder(asked.Folder))
	for first := int64(0); first < tree.N; first += 1 << height {
		entries, err := folder(asked.Folder).entries(first>>height, tree.N)
		if err != nil {
			return answer{}, err
		}
		for offset, entry := range entries {
			index := first + int64(offset)
			hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				return answer{}, err
			}
			leaf := tlog.RecordHash(entry)
			if hashes[0] != leaf {
				return answer{}, fmt.Errorf("entry %d is not the leaf", index)
			}
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			if err != nil {
				return answer{}, err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
				return answer{}, err
			}
		}
		given.Entries = append(given.Entries, entries...)
	}
	return given, nil
}

// consistencyFromFolder proves out of the tiles that an older tree is the beginning of this one, and checks it.
func consistencyFromFolder(asked request) (answer, error) {
	tree, err := treeOf(asked.Size, asked.Root)
	if err != nil {
		return answer{}, err
	}
	old, err := hashOf(asked.OldRoot)
	if err != nil {
		return answer{}, err
	}
	proof, err := tlog.ProveTree(tree.N, asked.OldSize, tlog.TileHashReader(tree, folder(asked.Folder)))
	if err != nil {
		return answer{}, err
	}
	return answer{Proof: rawHashes(proof)}, tlog.CheckTree(proof, tree.N, tree.Hash, asked.OldSize, old)
}

func treeOf(size int64, root []byte) (tlog.Tree, error) {
	hash, err := hashOf(root)
	return tlog.Tree{N: size, Hash: hash}, err
}
