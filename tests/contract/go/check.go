// Checks a bundle's proofs with Go's own golang.org/x/mod/sumdb/note and tlog, not with our code.
//
// Not part of the suite, which needs no Go. On Debian:
//
//	apt-get install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/contract/go/check.go FOLDER "$(grep -o 'log .*' policy.txt | cut -c5-)"
//
// FOLDER is the unpacked bundle; the last argument is the log's verifier key from outside.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	must(err, "the log's key")
	names, err := filepath.Glob(filepath.Join(folder, "*", "*.tlog-proof")) // entries and tail
	must(err, folder)
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(err, name)
		must(check(string(data), verifier), name)
	}
	if len(names) == 0 {
		must(fmt.Errorf("no proofs"), folder)
	}
	fmt.Printf("%d proofs accepted by golang.org/x/mod/sumdb\n", len(names))
}

func check(text string, verifier note.Verifier) error {
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 3 {
		return fmt.Errorf("not a tlog-proof")
	}
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	body := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(body[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(body[2])
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(leaf))
}
