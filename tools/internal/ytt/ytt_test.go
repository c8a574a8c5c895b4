package ytt_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

func TestMain(m *testing.M) {
	if code, isChild := child.Enter(ytt.Job()); isChild {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

const schemaText = `#@data/values-schema
---
#@schema/desc "How many"
#@schema/validation ("an even number", lambda v: v % 2 == 0)
replicas: 2
`

// request renders the value replicas beside a template.
func request(template, values string) ytt.Request {
	return ytt.Request{
		Files: []ytt.File{
			{Name: "schema.yml", Data: []byte(schemaText)},
			{Name: "a.yml", Data: []byte("#@ load(\"@ytt:data\", \"data\")\n" + template + "\nreplicas: #@ data.values.replicas\n")},
		},
		Values: []ytt.File{{Name: "mine.yml", Data: []byte(values)}},
	}
}

const (
	endless = "#@ def f():\n#@   for i in range(2000000000):\n#@     x = i\n#@   end\n#@ end\n#@ f()\n---"
	growing = "#@ def f():\n#@   l = []\n#@   for i in range(1000000):\n#@     l.append(\"x\" * 1000000 + str(i))\n#@   end\n#@ end\n#@ f()\n---"
	wordy   = "#@ def f():\n#@   l = \"text\"\n#@   for i in range(25):\n#@     l = l + l\n#@   end\n#@   return l\n#@ end\n---\ntext: #@ f()"
)

// engines are the two ways to run ytt, which must give the same.
func engines(t *testing.T) map[string]func(context.Context, ytt.Request) (*ytt.Result, error) {
	t.Helper()
	w := ytt.NewWorker()
	t.Cleanup(w.Close)
	return map[string]func(context.Context, ytt.Request) (*ytt.Result, error){
		"here":   func(ctx context.Context, r ytt.Request) (*ytt.Result, error) { return r.Run(ctx) },
		"worker": w.Run,
	}
}

func TestRun(t *testing.T) {
	for name, run := range engines(t) {
		t.Run(name, func(t *testing.T) {
			made, err := run(t.Context(), request("---", ""))
			require.NoError(t, err)
			require.Equal(t, "replicas: 2\n", string(made.Stream))
			require.Equal(t, 1, made.Documents)

			made, err = run(t.Context(), request("---\nfirst: 1\n---", "replicas: 4"))
			require.NoError(t, err)
			require.Equal(t, "first: 1\n---\nreplicas: 4\n", string(made.Stream))

			_, err = run(t.Context(), request("---", "replica: 4"))
			require.ErrorContains(t, err, "mine.yml:")
			require.ErrorContains(t, err, `did you mean "replicas"`)

			schema := request("---", "")
			schema.Schema = true
			made, err = run(t.Context(), schema)
			require.NoError(t, err)
			require.Contains(t, string(made.Stream), "description: How many")
		})
	}
}

// TestFaultsOfALibrary: a schema may have a library validate a part of the values. What
// that refuses is told with its own path.
func TestFaultsOfALibrary(t *testing.T) {
	r := ytt.Request{
		Files: []ytt.File{
			{Name: "_ytt_lib/strict/schema.yml", Data: []byte("#@ load(\"@ytt:assert\", \"assert\")\n#@ def check(v):\n#@   assert.fail(\"too odd\")\n#@ end\n#@data/values-schema\n---\nvalues:\n  #@schema/validation (\"nothing\", check)\n  odd: \"\"\n  list:\n  -\n    #@schema/validation min=3\n    size: 3\n")},
			{Name: "schema.yml", Data: []byte("#@ load(\"@ytt:library\", \"library\")\n#@ def check(v):\n#@   return library.get(\"strict\").with_data_values({\"values\": v[\"values\"]}).data_values() != None\n#@ end\n#@data/values-schema\n---\n#@schema/validation (\"accepted\", check)\npart:\n  values:\n    odd: \"\"\n    list:\n    - size: 3\n")},
		},
		Values:  []ytt.File{{Name: "mine.yml", Data: []byte("part: {values: {odd: x, list: [{size: 4}, {size: 1}]}}")}},
		Explain: true,
	}
	_, err := r.Run(t.Context())
	var refused *ytt.ValuesError
	require.ErrorAs(t, err, &refused)
	var told []string
	for _, f := range refused.Faults {
		told = append(told, fmt.Sprintf("%s %q: %s", f.Name, f.Path, f.Message))
	}
	require.Equal(t, []string{
		`part.values.odd ["part" "values" "odd"]: must be nothing: too odd`,
		`part.values.list[1].size ["part" "values" "list" "1" "size"]: must be a value >= 3: value < 3`,
	}, told)
}

func TestDeclared(t *testing.T) {
	declared, err := ytt.Declared(t.Context(), request("---", "").Files)
	require.NoError(t, err)
	require.Equal(t, "replicas: 2\n", string(declared.Defaults))
	require.Contains(t, string(declared.OpenAPI), "description: How many")
	require.Equal(t, ytt.Rules{Below: []ytt.Rules{{Words: []string{"an even number"}}}}, declared.Rules)
}

// TestSideBySide is for the race detector.
func TestSideBySide(t *testing.T) {
	w := ytt.NewWorker()
	defer w.Close()
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			want := fmt.Sprintf("replicas: %d", 2*i)
			for _, run := range []func(context.Context) (*ytt.Result, error){request("---", want).Run, request("---", want).RunForeign} {
				made, err := run(ytt.With(t.Context(), w))
				if err == nil && strings.TrimSpace(string(made.Stream)) != want {
					err = fmt.Errorf("%s, not %s", made.Stream, want)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			if _, err := ytt.Declared(t.Context(), request("---", "").Files); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestWorkerBounds: what would never end, or take all memory, ends with a reason, and
// the worker then serves the next request.
func TestWorkerBounds(t *testing.T) {
	t.Setenv(child.EnvMemory, "256Mi")
	w := ytt.NewWorker()
	defer w.Close()
	for name, test := range map[string]struct{ template, want string }{
		"memory": {growing, "the limit of 256Mi"},
		"output": {wordy, "limit of"}, // of output or of memory, whichever is first,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Run(t.Context(), request(test.template, ""))
			require.ErrorContains(t, err, test.want)
			require.Less(t, len(err.Error()), 6000)
			made, err := w.Run(t.Context(), request("---", ""))
			require.NoError(t, err)
			require.Equal(t, "replicas: 2\n", string(made.Stream))
		})
	}
}

func TestWorkerEndsWithItsContext(t *testing.T) {
	w := ytt.NewWorker()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := w.Run(ctx, request(endless, ""))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = w.Run(ctx, request("---", ""))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = w.Run(t.Context(), request("---", ""))
	require.NoError(t, err, "the next request gets a new child")
}

// TestRunEndsWithItsContext: a run in this process goes on, and its caller does not wait.
// It is the last test, since whoever comes after would wait for its turn.
func TestZRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := request(endless, "").Run(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = request("---", "").Run(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
