package lint

import (
	"fmt"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappres "carvel.dev/kapp/pkg/kapp/resources"
	kappytt "carvel.dev/kapp/pkg/kapp/yttresmod"

	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// kappConfig is the Config with which kapp deploys the objects: its own
// defaults, and what is among the objects.
func kappConfig(objects []manifest.Object) (kappconfig.Conf, error) {
	var configs []kappres.Resource
	for _, o := range objects {
		if _, labelled := o.GetLabels()[configLabel]; labelled || isKappConfig(o) {
			configs = append(configs, asResource(o))
		}
	}
	_, config, err := kappconfig.NewConfFromResourcesWithDefaults(configs)
	if err != nil {
		return kappconfig.Conf{}, fmt.Errorf("reading the package's kapp Config: %w", err)
	}
	return config, nil
}

func asResource(o manifest.Object) kappres.Resource {
	return kappres.NewResourceUnstructured(*o.DeepCopy(), kappres.ResourceType{})
}

// yttMod is a rule for which kapp runs ytt. No other ytt may run meanwhile.
type yttMod struct{ kappytt.OverlayContractV1Mod }

// ApplyFromMultiple is kapp's own, in its turn.
func (m yttMod) ApplyFromMultiple(res kappres.Resource, sources map[kappres.FieldCopyModSource]kappres.Resource) (err error) {
	ytt.Alone(func() { err = m.OverlayContractV1Mod.ApplyFromMultiple(res, sources) })
	return err
}

// inTurn are the rules, of which those that run ytt wait for their turn.
func inTurn(mods []kappres.ResourceModWithMultiple) []kappres.ResourceModWithMultiple {
	for i := range mods {
		if overlay, ok := mods[i].(kappytt.OverlayContractV1Mod); ok {
			mods[i] = yttMod{overlay}
		}
	}
	return mods
}

// update is what kapp makes of an object that the cluster holds as existing and
// the package says as fresh. The library panics on what it does not know.
func update(config kappconfig.Conf, existing, fresh kappres.Resource) (result kappres.Resource, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	result = fresh.DeepCopy()
	sources := map[kappres.FieldCopyModSource]kappres.Resource{
		kappres.FieldCopyModSourceNew: fresh, kappres.FieldCopyModSourceExisting: existing,
	}
	for _, mod := range inTurn(config.RebaseMods()) {
		if !mod.IsResourceMatching(result) {
			continue
		}
		if err := mod.ApplyFromMultiple(result, sources); err != nil {
			return nil, err
		}
	}
	return result, nil
}
