// Command jiseki-bench measures the parts of Jiseki and prints tables or, with --json, one object a line.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// A command line of jiseki-bench; each command is in a file of its own.
type commandLine struct {
	Codec codecCommand `cmd:"" help:"Replay recorded screen traces (PBT1) through the encoder and an independent decoder."`
	Relay relayCommand `cmd:"" help:"Measure what the relay costs, beside a bare TLS copy loop under the same load."`

	Latency latencyCommand `cmd:"" help:"Measure the time from a key at the viewer to the pixel that it changes there."`
	Idle    idleCommand    `cmd:"" help:"Measure what an agent with one viewer costs while the screen stands still."`

	Hostile hostileCommand `cmd:"" help:"Attack a gateway from many addresses and measure its memory, its seats, and how long honest sign-ins take."`

	AgentServe   agentServe   `cmd:"" hidden:"" help:"The agent that latency and idle measure; started by them."`
	GatewayServe gatewayServe `cmd:"" hidden:"" help:"The gateway that hostile attacks; started by it."`
	RelayServe   relayServe   `cmd:"" hidden:"" help:"The server that relay measures; started by it."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run parses and runs a command line and returns the exit code: 0 for success, 1 for failure, 2 for wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	var cli commandLine
	parser, err := kong.New(&cli, kong.Name("jiseki-bench"), kong.Writers(stdout, stderr), kong.UsageOnError(),
		kong.Description("Measures the parts of Jiseki."), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(stderr, "jiseki-bench:", err)
		return 2
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "jiseki-bench:", err)
		return 2
	}
	if err := ctx.Run(); err != nil {
		fmt.Fprintln(stderr, "jiseki-bench:", err)
		return 1
	}
	return 0
}
