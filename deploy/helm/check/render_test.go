package check_test

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const chartDir = "../muster"

// oldest is the Kubernetes that the chart says it needs.
const oldest = "1.30.0"

// kinds are what the chart may make, by the types that Kubernetes and the operators themselves read it with.
var kinds = map[string]func() meta.Object{
	"v1/ConfigMap":                           func() meta.Object { return &core.ConfigMap{} },
	"v1/Secret":                              func() meta.Object { return &core.Secret{} },
	"v1/Service":                             func() meta.Object { return &core.Service{} },
	"v1/ServiceAccount":                      func() meta.Object { return &core.ServiceAccount{} },
	"v1/PersistentVolumeClaim":               func() meta.Object { return &core.PersistentVolumeClaim{} },
	"apps/v1/Deployment":                     func() meta.Object { return &apps.Deployment{} },
	"autoscaling/v2/HorizontalPodAutoscaler": func() meta.Object { return &autoscaling.HorizontalPodAutoscaler{} },
	"networking.k8s.io/v1/Ingress":           func() meta.Object { return &networking.Ingress{} },
	"networking.k8s.io/v1/NetworkPolicy":     func() meta.Object { return &networking.NetworkPolicy{} },
	"policy/v1/PodDisruptionBudget":          func() meta.Object { return &policy.PodDisruptionBudget{} },
	"monitoring.coreos.com/v1/ServiceMonitor": func() meta.Object {
		return &monitoring.ServiceMonitor{}
	},
	"gateway.networking.k8s.io/v1/HTTPRoute": func() meta.Object { return &gateway.HTTPRoute{} },
}

// rendering is what "helm template" makes of the chart.
type rendering struct {
	objects []meta.Object
	// texts are the objects as they were written, by template.
	texts map[string]string
	notes string
}

var loadChart = sync.OnceValues(func() (*chart.Chart, error) { return loader.Load(chartDir) })

// template renders the chart as "helm template" does: schema, version of Kubernetes, templates.
func template(values map[string]any) (map[string]string, error) {
	loaded, err := loadChart()
	if err != nil {
		return nil, err
	}
	if !chartutil.IsCompatibleRange(loaded.Metadata.KubeVersion, "v"+oldest) {
		return nil, errors.New("the chart does not take Kubernetes " + oldest)
	}
	version, err := common.ParseKubeVersion(oldest)
	if err != nil {
		return nil, err
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	release := common.ReleaseOptions{Name: "prod", Namespace: "identity", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(loaded, values, release, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: false}.Render(loaded, all)
}

// render renders the chart and decodes every object strictly.
func render(t *testing.T, values map[string]any) rendering {
	t.Helper()
	files, err := template(values)
	if err != nil {
		t.Fatal(err)
	}
	r := rendering{texts: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := strings.TrimSpace(files[name])
		switch {
		case path.Base(name) == "NOTES.txt":
			r.notes = text
		case text != "" && !strings.HasPrefix(path.Base(name), "_"):
			r.texts[name] = text
			r.objects = append(r.objects, decode(t, name, text))
		}
	}
	return r
}

// decode refuses unknown and repeated fields, as the API server does when it is asked to be strict.
func decode(t *testing.T, name, text string) meta.Object {
	t.Helper()
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	var kind meta.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, &kind); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fresh, known := kinds[kind.APIVersion+"/"+kind.Kind]
	if !known {
		t.Fatalf("%s: nobody knows the kind %s/%s", name, kind.APIVersion, kind.Kind)
	}
	object := fresh()
	wrong, err := json.UnmarshalStrict(raw, object, json.DisallowUnknownFields, json.DisallowDuplicateFields)
	if err := errors.Join(append(wrong, err)...); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	return object
}

// parse reads values as a file of them is read.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	values, err := loader.LoadValues(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// one returns the only object of its type, or nil.
func one[T meta.Object](t *testing.T, r rendering) (found T) {
	t.Helper()
	count := 0
	for _, object := range r.objects {
		if typed, ok := object.(T); ok {
			found = typed
			count++
		}
	}
	if count > 1 {
		t.Fatalf("%d objects of the type %T", count, found)
	}
	return found
}

// has reports whether there is an object of a type.
func has[T meta.Object](r rendering) bool {
	return slices.ContainsFunc(r.objects, func(object meta.Object) bool {
		_, ok := object.(T)
		return ok
	})
}
