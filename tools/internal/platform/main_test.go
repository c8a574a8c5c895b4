package platform_test

import (
	"os"
	"testing"

	"github.com/strake-dev/strake/tools/internal/childjobs"
)

func TestMain(m *testing.M) { os.Exit(childjobs.Run(m)) }
