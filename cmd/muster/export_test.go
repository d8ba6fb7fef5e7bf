package main

import "github.com/alecthomas/kong"

// Model is the command line, for the tests of what is written about it.
func Model() (*kong.Application, error) {
	parser, err := newParser(&commands{})
	if err != nil {
		return nil, err
	}
	return parser.Model, nil
}

// Parse checks a command line and runs nothing.
func Parse(args []string) error {
	parser, err := newParser(&commands{})
	if err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}

// ExitCodes says what each exit code means.
func ExitCodes() []string { return exitCodes() }
