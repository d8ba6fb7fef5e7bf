package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// finish is how long the server takes for what it accepted, in seconds.
const finish = 20

func pod(t *testing.T, r rendering) (core.PodTemplateSpec, core.Container) {
	t.Helper()
	template := one[*apps.Deployment](t, r).Spec.Template
	if len(template.Spec.Containers) != 1 || len(template.Spec.InitContainers) != 0 {
		t.Fatal("a pod has one container")
	}
	return template, template.Spec.Containers[0]
}

func checkNames(t *testing.T, r rendering) {
	t.Helper()
	seen := map[string]bool{}
	for _, object := range r.objects {
		id := fmt.Sprintf("%T %s", object, object.GetName())
		if seen[id] || object.GetNamespace() != "identity" || len(validation.IsDNS1035Label(object.GetName())) > 0 {
			t.Errorf("%s: the name is there twice, is none, or has no namespace", id)
		}
		seen[id] = true
		for name, value := range object.GetLabels() {
			if len(validation.IsQualifiedName(name)) > 0 || len(validation.IsValidLabelValue(value)) > 0 {
				t.Errorf("%s: %s=%q is no label", id, name, value)
			}
		}
		if object.GetLabels()["app.kubernetes.io/managed-by"] != "Helm" || object.GetLabels()["app.kubernetes.io/instance"] != "prod" {
			t.Errorf("%s: the labels are %v", id, object.GetLabels())
		}
	}
}

// checkPod: nobody in particular, who can write nowhere but to volumes and gains nothing.
func checkPod(t *testing.T, r rendering) {
	t.Helper()
	template, container := pod(t, r)
	p, c := template.Spec.SecurityContext, container.SecurityContext
	if p == nil || !is(p.RunAsNonRoot, true) || !is(p.RunAsUser, 65532) || !is(p.RunAsGroup, 65532) || !is(p.FSGroup, 65532) ||
		p.SeccompProfile == nil || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("the pod's security context is %+v", p)
	}
	if c == nil || !is(c.AllowPrivilegeEscalation, false) || !is(c.ReadOnlyRootFilesystem, true) || c.Privileged != nil ||
		c.Capabilities == nil || !slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}) || c.Capabilities.Add != nil {
		t.Errorf("the container's security context is %+v", c)
	}
	spec := template.Spec
	if !is(spec.AutomountServiceAccountToken, false) || spec.HostNetwork || spec.HostPID || spec.HostIPC || !is(spec.EnableServiceLinks, false) {
		t.Error("the pod gets a token, or something of the host's")
	}
	if account := one[*core.ServiceAccount](t, r); account != nil && !is(account.AutomountServiceAccountToken, false) {
		t.Error("the service account gives a token")
	}
	if container.Resources.Requests.Cpu().IsZero() || container.Resources.Limits.Memory().IsZero() {
		t.Errorf("the resources are %+v", container.Resources)
	}
}

func is[T comparable](got *T, want T) bool { return got != nil && *got == want }

// checkMounts: what is mounted is there, once, and SQLite's file lies in a volume that can be written.
func checkMounts(t *testing.T, r rendering) {
	t.Helper()
	template, container := pod(t, r)
	volumes, paths, variables := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, volume := range template.Spec.Volumes {
		if volumes[volume.Name] {
			t.Errorf("two volumes %s", volume.Name)
		}
		volumes[volume.Name] = true
	}
	for _, mount := range container.VolumeMounts {
		if !volumes[mount.Name] || paths[mount.MountPath] {
			t.Errorf("%s is mounted at %s, and is not there or not alone", mount.Name, mount.MountPath)
		}
		paths[mount.MountPath] = true
		delete(volumes, mount.Name)
		if mount.ReadOnly == (mount.Name == "data" || mount.Name == "tmp") {
			t.Errorf("%s is read-only: %t", mount.Name, mount.ReadOnly)
		}
	}
	if len(volumes) > 0 {
		t.Errorf("nobody mounts %v", volumes)
	}
	for _, variable := range container.Env {
		if variables[variable.Name] {
			t.Errorf("%s is given twice", variable.Name)
		}
		variables[variable.Name] = true
		if variable.Name == "TMPDIR" && !paths[variable.Value] {
			t.Errorf("temporary files go to %s, where nothing is mounted", variable.Value)
		}
	}
	if !variables["TMPDIR"] {
		t.Error("temporary files go where the image says, which may not be mounted")
	}
}

// checkSelectors: whoever selects pods selects these.
func checkSelectors(t *testing.T, r rendering) {
	t.Helper()
	template, _ := pod(t, r)
	service := one[*core.Service](t, r)
	selectors := map[string][2]map[string]string{
		"Deployment": {one[*apps.Deployment](t, r).Spec.Selector.MatchLabels, template.Labels},
		"Service":    {service.Spec.Selector, template.Labels},
	}
	if budget := one[*policy.PodDisruptionBudget](t, r); budget != nil {
		selectors["PodDisruptionBudget"] = [2]map[string]string{budget.Spec.Selector.MatchLabels, template.Labels}
	}
	if guard := one[*networking.NetworkPolicy](t, r); guard != nil {
		selectors["NetworkPolicy"] = [2]map[string]string{guard.Spec.PodSelector.MatchLabels, template.Labels}
	}
	if monitor := one[*monitoring.ServiceMonitor](t, r); monitor != nil {
		selectors["ServiceMonitor"] = [2]map[string]string{monitor.Spec.Selector.MatchLabels, service.Labels}
	}
	for _, constraint := range template.Spec.TopologySpreadConstraints {
		selectors["spread over "+constraint.TopologyKey] = [2]map[string]string{constraint.LabelSelector.MatchLabels, template.Labels}
	}
	for name, pair := range selectors {
		if len(pair[0]) < 2 || !labels.SelectorFromSet(pair[0]).Matches(labels.Set(pair[1])) {
			t.Errorf("%s selects %v, which %v is not", name, pair[0], pair[1])
		}
		if _, changes := pair[0]["app.kubernetes.io/version"]; changes {
			t.Errorf("%s selects by the version, so that an upgrade loses the pods", name)
		}
	}
}

// checkPorts: every port that is named, by whomever, is one that the server listens on.
func checkPorts(t *testing.T, r rendering) {
	t.Helper()
	_, container := pod(t, r)
	listening := map[string]bool{}
	for _, port := range container.Ports {
		listening[port.Name] = true
	}
	wanted := func(who, port string) {
		if !listening[port] {
			t.Errorf("%s wants port %q; there are %v", who, port, listening)
		}
	}
	for path, probe := range map[string]*core.Probe{"/livez": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path {
			t.Fatalf("no probe of %s: %+v", path, probe)
		}
		wanted(path, probe.HTTPGet.Port.String())
	}
	// A migration may take longer than any start-up probe waits.
	if start := container.StartupProbe; start == nil || start.HTTPGet.Path != "/livez" {
		t.Errorf("the start-up probe is %+v", container.StartupProbe)
	}
	wanted("the start-up probe", container.StartupProbe.HTTPGet.Port.String())
	service := one[*core.Service](t, r)
	served := map[string]int32{}
	for _, port := range service.Spec.Ports {
		served[port.Name] = port.Port
		wanted("the service", port.TargetPort.String())
	}
	if guard := one[*networking.NetworkPolicy](t, r); guard != nil {
		for _, port := range guard.Spec.Ingress[0].Ports {
			wanted("the network policy", port.Port.String())
		}
	}
	if monitor := one[*monitoring.ServiceMonitor](t, r); monitor != nil {
		if end := monitor.Spec.Endpoints[0]; end.TargetPort != nil {
			wanted("the monitor", end.TargetPort.String())
		} else if served[end.Port] == 0 || listening["metrics"] {
			t.Errorf("the monitor wants port %q of the service", end.Port)
		}
	}
	if door := one[*networking.Ingress](t, r); door != nil {
		backend := door.Spec.Rules[0].HTTP.Paths[0].Backend.Service
		if backend.Name != service.Name || served[backend.Port.Name] == 0 {
			t.Errorf("the ingress leads to %+v", backend)
		}
	}
	if route := one[*gateway.HTTPRoute](t, r); route != nil {
		backend := route.Spec.Rules[0].BackendRefs[0]
		if string(backend.Name) != service.Name || !is(backend.Port, service.Spec.Ports[0].Port) {
			t.Errorf("the route leads to %+v", backend)
		}
	}
}

// theirs are the names of what the values say others make.
var theirs = []string{"muster", "mail", "old", "company-ca", "registry", "default", "identity"}

// checkReferences: what is named exists, or is somebody else's.
func checkReferences(t *testing.T, r rendering) {
	t.Helper()
	template, container := pod(t, r)
	own := map[string]bool{}
	for _, object := range r.objects {
		own[fmt.Sprintf("%T %s", object, object.GetName())] = true
	}
	wanted := func(kind, name string) {
		if !own["*v1."+kind+" "+name] && !slices.Contains(theirs, name) {
			t.Errorf("%s %s is not there", kind, name)
		}
	}
	wanted("ServiceAccount", template.Spec.ServiceAccountName)
	for _, variable := range container.Env {
		if variable.ValueFrom != nil {
			wanted("Secret", variable.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, volume := range template.Spec.Volumes {
		switch {
		case volume.ConfigMap != nil:
			wanted("ConfigMap", volume.ConfigMap.Name)
		case volume.Secret != nil:
			wanted("Secret", volume.Secret.SecretName)
		case volume.PersistentVolumeClaim != nil:
			wanted("PersistentVolumeClaim", volume.PersistentVolumeClaim.ClaimName)
		case volume.Projected != nil:
			for _, source := range volume.Projected.Sources {
				wanted("Secret", source.Secret.Name)
			}
		}
	}
	if monitor := one[*monitoring.ServiceMonitor](t, r); monitor != nil {
		if authorization := monitor.Spec.Endpoints[0].Authorization; authorization != nil {
			wanted("Secret", authorization.Credentials.Name)
		}
	}
	if scaler := one[*autoscaling.HorizontalPodAutoscaler](t, r); scaler != nil {
		wanted("Deployment", scaler.Spec.ScaleTargetRef.Name)
	}
}

// checkSecrets: secrets stand in Secrets and nowhere else.
func checkSecrets(t *testing.T, r rendering) {
	t.Helper()
	texts := map[string]string{"NOTES.txt": r.notes}
	for name, text := range r.texts {
		if !strings.HasSuffix(name, "/secret.yaml") {
			texts[name] = text
		}
	}
	for name, text := range texts {
		if strings.Contains(text, "s3cret") || strings.Contains(text, key) {
			t.Errorf("%s shows a secret:\n%s", name, text)
		}
	}
}

// checkStopping: a pod that stops goes on serving until load balancers know, and has the time to finish.
func checkStopping(t *testing.T, r rendering) {
	t.Helper()
	template, container := pod(t, r)
	if container.Lifecycle == nil || container.Lifecycle.PreStop == nil || container.Lifecycle.PreStop.Sleep == nil {
		t.Fatal("the pod stops at once")
	}
	wait := container.Lifecycle.PreStop.Sleep.Seconds
	if grace := template.Spec.TerminationGracePeriodSeconds; wait < 1 || grace == nil || *grace < wait+finish+5 {
		t.Errorf("waits %d s before the stop, and is killed after %v", wait, grace)
	}
}
