package lint

import (
	"os"
	"testing"

	"github.com/strake-dev/strake/tools/internal/jobs"
)

func TestMain(m *testing.M) { os.Exit(jobs.Run(m)) }
