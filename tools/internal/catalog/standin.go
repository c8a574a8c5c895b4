package catalog

import (
	"crypto/sha256"
	"fmt"
)

// StandIn is v itself, or a copy with a lock of stand-ins where v has none: each
// image's digest is made from its reference and names nothing that exists. So a
// version whose images cannot be locked yet is rendered and judged like any
// other. It must never be written or pushed.
func (v *Version) StandIn() *Version {
	if v.Images != nil {
		return v
	}
	lock := ImagesLock{Source: FromUpstream}
	for _, img := range v.Offered() {
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(img.Reference)))
		lock.Images = append(lock.Images, LockedImage{
			Name: img.Name, Reference: img.Reference, Digest: digest,
			Platforms: []LockedPlatform{{Platform: "linux/amd64", Digest: digest}},
		})
	}
	standIn := *v
	standIn.Images = &lock
	return &standIn
}

// Unlocked are the versions without images.lock.yml. None of them is published.
func (c *Catalog) Unlocked() []*Version {
	var list []*Version
	for _, v := range c.Versions() {
		if v.Images == nil {
			list = append(list, v)
		}
	}
	return list
}
