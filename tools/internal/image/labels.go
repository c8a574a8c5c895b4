package image

import (
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// labels go into the image's config, and as annotations onto its manifests.
// They speak of the upstream: a new revision of the package alone leaves the
// image as it is.
func labels(v *catalog.Version, img catalog.Image) map[string]string {
	return map[string]string{
		specs.AnnotationTitle:    img.Name,
		specs.AnnotationVersion:  v.Upstream,
		specs.AnnotationSource:   v.Package.Metadata.Source,
		specs.AnnotationLicenses: strings.Join(v.Licenses, " AND "),
		specs.AnnotationCreated:  released(v).Format(time.RFC3339),
	}
}

// released is the one time that images and SBOMs carry. It is the version's
// own date and not SOURCE_DATE_EPOCH from the environment, since a locked
// digest must not depend on who builds.
func released(v *catalog.Version) time.Time { return v.ReleasedAt.UTC().Truncate(time.Second) }

func created(v *catalog.Version) v1.Time { return v1.Time{Time: released(v)} }
