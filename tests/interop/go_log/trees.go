package main

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

func hashOf(raw []byte) (tlog.Hash, error) {
	var hash tlog.Hash
	if len(raw) != tlog.HashSize {
		return hash, errors.New("a hash has 32 bytes")
	}
	copy(hash[:], raw)
	return hash, nil
}

func hashesOf(raw [][]byte) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, item := range raw {
		hash, err := hashOf(item)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func rawHashes(hashes []tlog.Hash) [][]byte {
	var raw [][]byte
	for _, hash := range hashes {
		raw = append(raw, append([]byte(nil), hash[:]...))
	}
	return raw
}

func checkInclusion(asked request) (answer, error) {
	proof, err := hashesOf(asked.Proof)
	if err != nil {
		return answer{}, err
	}
	root, err := hashOf(asked.Root)
	if err != nil {
		return answer{}, err
	}
	leaf, err := hashOf(asked.Leaf)
	if err != nil {
		return answer{}, err
	}
	return answer{}, tlog.CheckRecord(proof, asked.Size, root, asked.Index, leaf)
}

func checkConsistency(asked request) (answer, error) {
	proof, err := hashesOf(asked.Proof)
	if err != nil {
		return answer{}, err
	}
	root, err := hashOf(asked.Root)
	if err != nil {
		return answer{}, err
	}
	oldRoot, err := hashOf(asked.OldRoot)
	if err != nil {
		return answer{}, err
	}
	return answer{}, tlog.CheckTree(proof, asked.Size, root, asked.OldSize, oldRoot)
}

// A tree that x/mod/tlog grows by itself, in its own order of stored hashes.
var (
	grown  []tlog.Hash
	leaves int64
	stored = tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, 0, len(indexes))
		for _, index := range indexes {
			if index < 0 || index >= int64(len(grown)) {
				return nil, errors.New("no such hash")
			}
			hashes = append(hashes, grown[index])
		}
		return hashes, nil
	})
)

func grow(asked request) (answer, error) {
	for _, entry := range asked.Entries {
		hashes, err := tlog.StoredHashes(leaves, entry, stored)
		if err != nil {
			return answer{}, err
		}
		grown = append(grown, hashes...)
		leaves++
	}
	return answer{Size: leaves}, nil
}

func rootOfGrown(asked request) (answer, error) {
	root, err := tlog.TreeHash(asked.Size, stored)
	return answer{Size: asked.Size, Root: root[:]}, err
}

func proveInclusion(asked request) (answer, error) {
	proof, err := tlog.ProveRecord(asked.Size, asked.Index, stored)
	return answer{Proof: rawHashes(proof)}, err
}

func proveConsistency(asked request) (answer, error) {
	proof, err := tlog.ProveTree(asked.Size, asked.OldSize, stored)
	return answer{Proof: rawHashes(proof)}, err
}
