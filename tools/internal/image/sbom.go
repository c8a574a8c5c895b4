package image

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// unasserted says, in SPDX, that nobody claims to know.
const unasserted = "NOASSERTION"

var notInIdentifier = regexp.MustCompile(`[^a-zA-Z0-9.-]`)

// document collects an SPDX 2.3 document about one platform's image: the
// image contains the base's parts and commands, which depend on modules.
type document struct {
	version *catalog.Version
	spdx    *spdx.Document
	// seen are the packages that are in it.
	seen map[common.ElementID]bool
}

// describe writes the SPDX document, as JSON, of an image with the given
// digest and commands. Its only time is the version's release, and its
// namespace is the digest: the same image gives the same document.
func (w *workshop) describe(img catalog.Image, digest v1.Hash, commands []*debug.BuildInfo) ([]byte, error) {
	d := &document{version: w.version, seen: map[common.ElementID]bool{}, spdx: &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      fmt.Sprintf("%s %s", img.Name, w.version.Upstream),
		DocumentNamespace: "https://strake.invalid/spdx/" + digest.String(),
		CreationInfo: &spdx.CreationInfo{
			Created:  released(w.version).Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "strake"}},
		},
	}}
	root := d.image(img, digest)
	d.relate("DOCUMENT", common.TypeRelationshipDescribe, root)
	d.base(root, w)
	for _, info := range commands {
		d.command(root, info)
	}
	var out bytes.Buffer
	if err := spdxjson.Write(d.spdx, &out, spdxjson.Indent(" ")); err != nil {
		return nil, fmt.Errorf("writing the SPDX document of image %s of %s: %w", img.Name, w.version.ID(), err)
	}
	return out.Bytes(), nil
}

func (d *document) image(img catalog.Image, digest v1.Hash) common.ElementID {
	return d.add(&spdx.Package{
		PackageName: img.Name, PackageVersion: d.version.Upstream, PrimaryPackagePurpose: "CONTAINER",
		PackageSPDXIdentifier:   "Image",
		PackageDownloadLocation: unasserted,
		PackageLicenseDeclared:  strings.Join(d.version.Licenses, " AND "),
		PackageChecksums:        []common.Checksum{{Algorithm: common.SHA256, Value: digest.Hex}},
		PackageExternalReferences: []*spdx.PackageExternalReference{
			purl("pkg:oci/" + url.PathEscape(img.Name) + "@" + url.QueryEscape(digest.String())),
		},
	})
}

// base adds what the base layer holds beside a few lines of our own. The
// certificates go by their hash: which version of their module this program
// was compiled with is not known to every build of it.
func (d *document) base(root common.ElementID, w *workshop) {
	d.relate(root, common.TypeRelationshipContains, d.add(&spdx.Package{
		PackageName: "ca-certificates", PackageSPDXIdentifier: "Base-ca-certificates", PackageFileName: "/" + caFile,
		PackageDownloadLocation: unasserted, PackageSourceInfo: "golang.org/x/crypto/x509roots/fallback",
		PackageChecksums: []common.Checksum{{Algorithm: common.SHA256, Value: fmt.Sprintf("%x", sha256.Sum256(w.base.roots))}},
	}))
	d.relate(root, common.TypeRelationshipContains, d.add(&spdx.Package{
		PackageName: "tzdata", PackageSPDXIdentifier: "Base-tzdata", PackageFileName: "/" + zoneDir,
		PackageDownloadLocation: unasserted, PackageSourceInfo: "lib/time/zoneinfo.zip of " + w.toolchain.Version,
	}))
}

func (d *document) command(root common.ElementID, info *debug.BuildInfo) {
	name := commandName(info.Path)
	id := d.add(&spdx.Package{
		PackageName: info.Path, PackageSPDXIdentifier: identifier("Command", info.Path),
		PackageFileName: appDir + "/" + name, PrimaryPackagePurpose: "APPLICATION",
		PackageDownloadLocation: unasserted,
	})
	d.relate(root, common.TypeRelationshipContains, id)
	d.relate(id, common.TypeRelationshipDependsOn, d.stdlib(info.GoVersion))
	// Main is the module that the command is in, seen from the version's.
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		d.relate(id, common.TypeRelationshipDependsOn, d.module(m))
	}
}

func (d *document) stdlib(release string) common.ElementID {
	version := strings.TrimPrefix(release, "go")
	return d.add(&spdx.Package{
		PackageName: "stdlib", PackageVersion: version, PackageSPDXIdentifier: identifier("Module", "stdlib", version),
		PackageDownloadLocation: "https://go.dev/dl/",
		PackageLicenseDeclared:  "BSD-3-Clause",
		PackageExternalReferences: []*spdx.PackageExternalReference{
			purl("pkg:golang/stdlib@" + version),
		},
	})
}

// module is what was compiled in: the replacement, where there is one.
func (d *document) module(m *debug.Module) common.ElementID {
	if m.Replace != nil {
		m = m.Replace
	}
	return d.add(&spdx.Package{
		PackageName: m.Path, PackageVersion: m.Version, PackageSPDXIdentifier: identifier("Module", m.Path, m.Version),
		PackageDownloadLocation:   unasserted,
		PackageSourceInfo:         sourceInfo(m),
		PackageExternalReferences: []*spdx.PackageExternalReference{purl("pkg:golang/" + m.Path + "@" + url.PathEscape(m.Version))},
	})
}

func (d *document) add(p *spdx.Package) common.ElementID {
	if p.PackageLicenseDeclared == "" {
		p.PackageLicenseDeclared = unasserted
	}
	p.PackageLicenseConcluded, p.PackageCopyrightText = unasserted, unasserted
	if !d.seen[p.PackageSPDXIdentifier] {
		d.seen[p.PackageSPDXIdentifier] = true
		d.spdx.Packages = append(d.spdx.Packages, p)
	}
	return p.PackageSPDXIdentifier
}

func (d *document) relate(a common.ElementID, how string, b common.ElementID) {
	d.spdx.Relationships = append(d.spdx.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(a)), Relationship: how, RefB: common.MakeDocElementID("", string(b)),
	})
}

func purl(locator string) *spdx.PackageExternalReference {
	return &spdx.PackageExternalReference{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: locator}
}

// sourceInfo is the module's line of go.sum. SPDX's checksum has no place for
// it: it is over the module's files and their names, not over its zip.
func sourceInfo(m *debug.Module) string {
	if m.Sum == "" {
		return ""
	}
	return "go.sum " + m.Sum
}

// identifier joins parts into an SPDX identifier, which knows letters, digits,
// points and dashes only.
func identifier(parts ...string) common.ElementID {
	return common.ElementID(notInIdentifier.ReplaceAllString(strings.Join(parts, "-"), "-"))
}
