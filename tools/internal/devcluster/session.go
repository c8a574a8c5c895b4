package devcluster

import (
	"fmt"
	"os"
	"regexp"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// session is one run of [Up] or [Down]: what was asked, and what the steps
// found out for the steps after them.
type session struct {
	options  Options
	host     host
	engine   engine
	provider *cluster.Provider
	// exists tells that a healthy cluster is there, so that the steps that
	// make one have nothing to do.
	exists bool
	source bool // the node image is our own
	result Result

	lockFile string
	// halfMade is a file that exists while the cluster is being created; one
	// that an earlier run left tells of a cluster nobody can use.
	halfMade string
}

func newSession(o Options) (*session, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	// The name becomes part of container, volume and file names.
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`).MatchString(o.Name) {
		return nil, fmt.Errorf("the cluster's name %q must be lower-case letters, digits and dashes, at most 41", o.Name)
	}
	if o.NodeImage == "" {
		o.NodeImage = NodeImageAuto
	}
	if o.Kubeconfig == "" {
		o.Kubeconfig = clientcmd.NewDefaultPathOptions().GetDefaultFilename()
	}
	state, err := cache.Dir("clusters", o.Name)
	if err != nil {
		return nil, err
	}
	return &session{
		options:  o,
		lockFile: state + ".lock",
		halfMade: state + ".creating",
		result:   Result{Kubeconfig: o.Kubeconfig},
	}, nil
}

// markHalfMade and unmarkHalfMade bracket the cluster's creation.
func (s *session) markHalfMade() error {
	if err := os.WriteFile(s.halfMade, nil, 0o644); err != nil {
		return fmt.Errorf("noting that a cluster is being created: %w", err)
	}
	return nil
}

func (s *session) unmarkHalfMade() error {
	if err := os.RemoveAll(s.halfMade); err != nil {
		return fmt.Errorf("noting that the cluster is whole: %w", err)
	}
	return nil
}

func (s *session) isHalfMade() bool {
	_, err := os.Stat(s.halfMade)
	return err == nil
}
