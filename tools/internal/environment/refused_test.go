package environment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// newServer is the validator of the environments' Kubernetes, which is compiled once on
// each machine.
func newServer(t *testing.T) *apivalidate.Validator {
	t.Helper()
	server, err := apivalidate.New(t.Context(), "1.34.4")
	require.NoError(t, err)
	require.Equal(t, "1.34", server.Minor)
	return server
}

// operator is the head of an overlay on a Deployment of KEDA.
const operator = "#@ load(\"@ytt:overlay\", \"overlay\")\n" +
	"#@overlay/match by=overlay.subset({\"kind\": \"Deployment\", \"metadata\": {\"name\": \"keda-operator\"}})\n---\n"

// TestRefusals: one overlay for each kind of fault has one finding.
func TestRefusals(t *testing.T) {
	c, server := checkout(t), newServer(t)
	for _, test := range []struct{ name, overlay, object, rule, want string }{
		{
			"limits below requests", operator + `
spec:
  template:
    spec:
      containers:
      #@overlay/match by="name"
      - name: keda-operator
        resources:
          #@overlay/match missing_ok=True
          limits:
            #@overlay/match missing_ok=True
            cpu: 1m
`,
			"Deployment.apps keda/keda-operator", environment.RuleInvalid,
			`spec.template.spec.containers[0].resources.requests: Invalid value: "50m": must be less than or equal to cpu limit of 1m`,
		},
		{
			"selector", operator + `
spec:
  selector:
    matchLabels:
      #@overlay/match missing_ok=True
      boat: raft
`,
			"Deployment.apps keda/keda-operator", environment.RuleInvalid, "`selector` does not match template `labels`",
		},
		{
			"maxUnavailable", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: raft, namespace: keda}\nspec: {maxUnavailable: 150%}\n",
			"PodDisruptionBudget.policy keda/raft", environment.RuleInvalid, `spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%`,
		},
		{
			"a large Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: raft, namespace: keda}\nstringData:\n  a: " + strings.Repeat("x", 1<<20+1) + "\n",
			"Secret keda/raft", environment.RuleInvalid, "data: Too long: may not be more than 1048576 bytes",
		},
		{
			"a rule in CEL", "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: raft, namespace: keda}\n" +
				"spec: {minReplicaCount: 3, maxReplicaCount: 2, scaleTargetRef: {name: raft}, triggers: [{type: cpu, metadata: {value: '50'}}]}\n",
			"ScaledObject.keda.sh keda/raft", environment.RuleInvalid, "minReplicaCount must be less than or equal to maxReplicaCount",
		},
		{
			"a name", "apiVersion: v1\nkind: Service\nmetadata: {name: 1st, namespace: keda}\nspec: {ports: [{port: 80}]}\n",
			"Service keda/1st", environment.RuleMetadata, `metadata.name: Invalid value: "1st"`,
		},
		{ // which the API server cannot decode, and says so in other words
			"what the schema refuses", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: raft, namespace: keda}\nspec: {unhealthyPodEvictionPolicy: [Never]}\n",
			"PodDisruptionBudget.policy keda/raft", environment.RuleSchema, "spec.unhealthyPodEvictionPolicy",
		},
		{ // which validation refuses at the same field
			"what the schema requires", "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: raft, namespace: keda}\nspec: {scaleTargetRef: {name: raft}}\n",
			"ScaledObject.keda.sh keda/raft", environment.RuleSchema, "spec.triggers",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := c.Environment("staging")
			require.NoError(t, err)
			e.Sources = append(e.Sources, source(t, map[string]any{"overlays": map[string]any{"fault.yml": test.overlay}}))
			packages, err := environment.Render(t.Context(), c, e, "keda")
			require.NoError(t, err)
			findings, err := environment.Validate(t.Context(), environment.Stored(packages), newAPI(t), environment.Options{Server: server})
			require.NoError(t, err)
			require.Len(t, findings, 1)
			require.Equal(t, []string{"keda", test.object, test.rule}, []string{findings[0].Package, strings.Join(strings.Fields(findings[0].Object), " "), findings[0].Rule})
			require.Contains(t, findings[0].Message, test.want)
		})
	}
}

// TestKindsOfOthers: only their metadata can be validated.
func TestKindsOfOthers(t *testing.T) {
	api := newAPI(t)
	require.NoError(t, api.Allow([]string{"boats.example/v1"}))
	findings, err := environment.Validate(t.Context(), environment.Rendered{"a": objects(t,
		"{apiVersion: boats.example/v1, kind: Boat, metadata: {name: Raft, namespace: sea}, spec: {x: 1}}",
	)}, api, environment.Options{Server: newServer(t)})
	require.NoError(t, err)
	require.Len(t, findings, 1)
	require.Equal(t, environment.RuleMetadata, findings[0].Rule)
	require.Contains(t, findings[0].Message, `metadata.name: Invalid value: "Raft"`)
}

// TestRenderCasesAreValid: the API server would refuse nothing of what any package
// renders, in any of its cases.
func TestRenderCasesAreValid(t *testing.T) {
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, "packages", "*", "test", "*", "expected.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all, definitions []manifest.Object
	var from []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, o := range objects(t, string(text)) {
			if o.GetName() == "" {
				continue // a configuration of kapp or kbld
			}
			all, from = append(all, o), append(from, file)
		}
	}
	for _, objects := range platform(t) {
		definitions = append(definitions, objects...)
	}
	result, err := newServer(t).Validate(t.Context(), definitions, all)
	require.NoError(t, err)
	for _, f := range result.Findings {
		t.Errorf("%s: %s: %s", from[f.Object], all[f.Object].ID(), f)
	}
}
