package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/internal/nearest"
)

// configure sets the flags that the command line leaves open: from variables
// HOOKPROOF_*, else from the file that --config names.
func configure(cmd *cobra.Command, environ []string) error {
	lookup, err := variables(cmd.Root(), environ)
	if err != nil {
		return err
	}
	if err := fromVariable(cmd.Flags().Lookup("config"), lookup); err != nil {
		return err
	}
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return err
	}
	file, err := readConfig(cmd.Root(), path)
	if err != nil {
		return err
	}
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if failed != nil || f.Changed {
			return
		}
		if failed = fromVariable(f, lookup); failed != nil || f.Changed {
			return
		}
		if node, ok := file[f.Name]; ok {
			failed = fromNode(path, f, node)
		}
	})
	if failed != nil {
		return failed
	}
	return misfits(cmd, path, file)
}

// misfits finds a value in the file that a flag of another command refuses:
// doctor looks at the file that run is to use.
func misfits(cmd *cobra.Command, path string, file map[string]*yaml.Node) error {
	for _, c := range below(cmd.Root()) {
		for _, name := range slices.Sorted(maps.Keys(file)) {
			if f := c.Flags().Lookup(name); f != nil && cmd.Flags().Lookup(name) == nil {
				if err := fromNode(path, f, file[name]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// foreign are variables that begin with the prefix and set no flag.
var foreign = []string{"REQUIRE_DOCKER", "REQUIRE_CHROMIUM", "SCALE", "CTRF_SCHEMA"}

// variables are those that begin with HOOKPROOF_, by their names. One that no
// command knows is an error: a run with a misspelt one would test something
// else than was asked for.
func variables(root *cobra.Command, environ []string) (func(string) (string, bool), error) {
	known := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		short, ours := strings.CutPrefix(name, prefix)
		if !ours || slices.Contains(foreign, short) {
			continue
		}
		flag := strings.ToLower(strings.ReplaceAll(short, "_", "-"))
		if flag != "config" && !isFlag(root, flag) {
			return nil, usageError("variable %s stands for --%s, and no command has such a flag%s", name, flag, meantOf(root, flag, variableOf))
		}
		known[name] = value
	}
	return func(name string) (string, bool) { value, ok := known[name]; return value, ok }, nil
}

const prefix = "HOOKPROOF_"

// Annotations of flags that the command line has left open: the variable, or
// the place in the file, that has set them.
const (
	fromEnvironment = "from the environment"
	fromConfig      = "from the configuration"
)

// setBy marks what has set a flag.
func setBy(f *pflag.Flag, kind, place string) {
	f.Changed = true
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[kind] = []string{place}
}

// flagInText is a flag as an error names it: --target, or target where the
// error begins with it, or profile where there is none of that name.
var flagInText = regexp.MustCompile(`(?:^there is no |^|--)([a-z][a-z-]*[a-z])`)

// blame adds to an error about a flag that was not typed what has set it.
func blame(cmd *cobra.Command, text string) string {
	var f *pflag.Flag
	var end int
	for _, at := range flagInText.FindAllStringSubmatchIndex(text, -1) {
		if f, end = cmd.Flags().Lookup(text[at[2]:at[3]]), at[1]; f != nil {
			break
		}
	}
	if f == nil {
		return text
	}
	if name := f.Annotations[fromEnvironment]; name != nil {
		return fmt.Sprintf("%s (set by the variable %s)%s; unset the variable if it is not meant for this command", text[:end], name[0], text[end:])
	}
	if place := f.Annotations[fromConfig]; place != nil {
		return fmt.Sprintf("%s (set in %s)%s", text[:end], place[0], text[end:])
	}
	return text
}

// variableOf is the variable that sets a flag.
func variableOf(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fromVariable(f *pflag.Flag, lookup func(string) (string, bool)) error {
	name := variableOf(f.Name)
	value, ok := lookup(name)
	if !ok || f.Changed || f.Name == "help" || f.Name == "version" {
		return nil
	}
	if err := f.Value.Set(value); err != nil {
		return usageError("variable %s: %v", name, misread(err))
	}
	setBy(f, fromEnvironment, name)
	return nil
}

// misread says in plain words why a flag does not take a value.
func misread(err error) string {
	var number *strconv.NumError
	switch {
	case !errors.As(err, &number):
		return err.Error()
	case errors.Is(number, strconv.ErrRange):
		return fmt.Sprintf("%q is out of range", number.Num)
	case number.Func == "ParseBool":
		return fmt.Sprintf("%q is neither true nor false", number.Num)
	}
	return fmt.Sprintf("%q is not a whole number", number.Num)
}

// readConfig reads the keys of a configuration file. A key that is no flag of
// any command is an error, so that a misspelt one is not passed over.
func readConfig(root *cobra.Command, path string) (map[string]*yaml.Node, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("read the configuration: %v", err)
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, usageError("read the configuration %s: %v", path, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, usageError("read the configuration %s: more than one YAML document", path)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, usageError("%s:%d: want a mapping from flag names to values", path, top.Line)
	}
	keys := map[string]*yaml.Node{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i]
		if !isFlag(root, key.Value) {
			return nil, usageError("%s:%d: there is no flag --%s%s", path, key.Line, key.Value, meantOf(root, key.Value, func(flag string) string { return "--" + flag }))
		}
		if _, twice := keys[key.Value]; twice {
			return nil, usageError("%s:%d: %s is set twice", path, key.Line, key.Value)
		}
		keys[key.Value] = top.Content[i+1]
	}
	return keys, nil
}

func isFlag(root *cobra.Command, name string) bool {
	return name != "config" && slices.ContainsFunc(below(root), func(c *cobra.Command) bool { return c.Flags().Lookup(name) != nil })
}

// meantOf asks, of a name that is no flag of any command, for the nearest one,
// written as it was to be set; empty if none is near.
func meantOf(root *cobra.Command, name string, written func(flag string) string) string {
	near := nearest.To(name, flagsOf(below(root)...))
	if near == "" {
		return ""
	}
	return "; did you mean " + written(near) + "?"
}

// fromNode sets a flag from a scalar, or from a list where the flag takes
// several values.
func fromNode(path string, f *pflag.Flag, node *yaml.Node) error {
	var values []string
	switch node.Kind {
	case yaml.ScalarNode:
		values = []string{node.Value}
	case yaml.SequenceNode:
		for _, n := range node.Content {
			if n.Kind != yaml.ScalarNode {
				return usageError("%s:%d: %s wants plain values", path, n.Line, f.Name)
			}
			values = append(values, n.Value)
		}
	default:
		return usageError("%s:%d: %s wants a value or a list of values", path, node.Line, f.Name)
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		if err := list.Replace(values); err != nil {
			return usageError("%s:%d: %s: %v", path, node.Line, f.Name, misread(err))
		}
	} else if len(values) != 1 {
		return usageError("%s:%d: %s wants one value", path, node.Line, f.Name)
	} else if err := f.Value.Set(values[0]); err != nil {
		return usageError("%s:%d: %s: %v", path, node.Line, f.Name, misread(err))
	}
	setBy(f, fromConfig, fmt.Sprintf("%s:%d", path, node.Line))
	return nil
}
