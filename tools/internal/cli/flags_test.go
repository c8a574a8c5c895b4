package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// shorthands are the letters that commands may use, each for one flag with one
// default in every command that has it.
var shorthands = map[string]struct{ name, preset string }{
	"A": {"all-namespaces", "false"},
	"f": {"values-file", ""},
	"h": {"help", "false"},
	"n": {"namespace", "strake"},
	"o": {"output", "text"},
	"q": {"quiet", "false"},
	"w": {"watch", "false"},
	"y": {"yes", "false"},
}

func TestShorthandsMeanTheSameEverywhere(t *testing.T) {
	each(newTestRoot(), func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		everyFlag(c, func(f *pflag.Flag) {
			if f.Shorthand == "" {
				return
			}
			known, ok := shorthands[f.Shorthand]
			require.True(t, ok, "%s: -%s is in no list; is it worth a letter?", c.CommandPath(), f.Shorthand)
			require.Equal(t, known.name, f.Name, "%s -%s", c.CommandPath(), f.Shorthand)
			require.Equal(t, known.preset, f.DefValue, "%s --%s", c.CommandPath(), f.Name)
		})
	})
}

// TestFlagsHaveTheirShorthand: a flag that has a letter has it in every command.
func TestFlagsHaveTheirShorthand(t *testing.T) {
	letters := map[string]string{}
	for letter, flag := range shorthands {
		letters[flag.name] = letter
	}
	each(newTestRoot(), func(c *cobra.Command) {
		everyFlag(c, func(f *pflag.Flag) {
			require.Equal(t, letters[f.Name], f.Shorthand, "%s --%s", c.CommandPath(), f.Name)
		})
	})
}

// TestOutputTakesTheSameFormats: -o json is JSON wherever -o is.
func TestOutputTakesTheSameFormats(t *testing.T) {
	each(newTestRoot(), func(c *cobra.Command) {
		if output := c.Flags().Lookup("output"); output != nil {
			require.Equal(t, "text|json|yaml", output.Value.Type(), c.CommandPath())
		}
	})
}

// everyFlag calls f for the flags of a command and for those that it inherits.
func everyFlag(c *cobra.Command, f func(*pflag.Flag)) {
	c.LocalFlags().VisitAll(f)
	c.InheritedFlags().VisitAll(f)
}

func TestNamesOfObjects(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
		says string
	}{
		{nil, nil, ""},
		{[]string{"--one", "keda-installer", "--some", "a,b", "--some", "c"}, []string{"keda-installer", "a", "b", "c"}, ""},
		{[]string{"--one", "My Account"}, nil, `invalid argument "My Account" for "--one" flag: a lowercase RFC 1123 subdomain`},
		{[]string{"--one", ""}, nil, `invalid argument "" for "--one" flag`},
		{[]string{"--some", "a,_b"}, nil, `invalid argument "a,_b" for "--some" flag`},
	} {
		var one string
		var some []string
		cmd := &cobra.Command{Use: "x"}
		objectNameFlag(cmd, &one, "one", "", "")
		objectNamesFlag(cmd, &some, "some", "")
		err := cmd.ParseFlags(test.args)
		if test.says != "" {
			require.ErrorContains(t, err, test.says)
			continue
		}
		require.NoError(t, err)
		var got []string
		if one != "" {
			got = append(got, one)
		}
		require.Equal(t, test.want, append(got, some...))
	}
}
