// Checks a copy of the log with golang.org/x/mod/sumdb alone: notes, tiles, inclusion and consistency.
//
//	go run check.go FOLDER VKEY
//
// FOLDER has checkpoint, older (an earlier checkpoint), proof (a tlog-proof) and tile/… as they are served.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var folder, vkey string

func main() {
	folder, vkey = os.Args[1], os.Args[2]
	tree := opened(read("checkpoint"))
	older := opened(read("older"))
	hashes := tlog.TileHashReader(tree, served{})
	root, err := tlog.TreeHash(tree.N, hashes)
	must(err)
	if root != tree.Hash {
		fail("the tiles do not belong to the checkpoint")
	}
	growth, err := tlog.ProveTree(tree.N, older.N, hashes)
	must(err)
	must(tlog.CheckTree(growth, tree.N, tree.Hash, older.N, older.Hash))
	for at, entry := range entries(tree.N) {
		way, err := tlog.ProveRecord(tree.N, int64(at), hashes)
		must(err)
		must(tlog.CheckRecord(way, tree.N, tree.Hash, int64(at), tlog.RecordHash(entry)))
	}
	checkProof(read("proof"))
	fmt.Printf("%d entries of %d hold\n", tree.N, older.N)
}

// checkProof reads a file of c2sp.org/tlog-proof and checks it without anything else.
func checkProof(file []byte) {
	above, checkpoint, _ := strings.Cut(string(file), "\n\n")
	lines := strings.Split(above, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("another kind of proof")
	}
	body := decoded(strings.TrimPrefix(lines[1], "extra "))
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err)
	var way tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		way = append(way, hash)
	}
	tree := opened([]byte(checkpoint))
	must(tlog.CheckRecord(way, tree.N, tree.Hash, index, tlog.RecordHash(body)))
}

// opened verifies a checkpoint's signature and reads its three lines.
func opened(message []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	found, err := note.Open(message, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(found.Text, "\n")
	if lines[0] != verifier.Name() {
		fail("a checkpoint of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

// entries are the records of all bundles, in order.
func entries(size int64) (found [][]byte) {
	for first := int64(0); first < size; first += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(min(256, size-first))}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		for rest := read(path); len(rest) > 0; {
			length := int(binary.BigEndian.Uint16(rest))
			found = append(found, rest[2:2+length])
			rest = rest[2+length:]
		}
	}
	if int64(len(found)) != size {
		fail("the bundles have another number of entries")
	}
	return found
}

// served reads tiles as they are served: like the Go checksum database, but without the height in the path.
type served struct{}

func (served) Height() int { return 8 }

func (served) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		data = append(data, read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
	}
	return data, nil
}

func (served) SaveTiles([]tlog.Tile, [][]byte) {}

func min(one, other int64) int64 {
	if one < other {
		return one
	}
	return other
}

func read(path string) []byte {
	content, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
	must(err)
	return content
}

func decoded(text string) []byte {
	content, err := base64.StdEncoding.DecodeString(text)
	must(err)
	return content
}

func must(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "BAD:", why)
	os.Exit(1)
}
