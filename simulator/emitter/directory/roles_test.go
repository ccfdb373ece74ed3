package directory_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func TestRolesGoWithTheirHolder(t *testing.T) {
	t.Parallel()
	d, _, js := open(t)
	env := environment(t, d)
	user, err := d.Create(t.Context(), caller, env, directory.User, object(t, `{"username":"u","email":"u@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	worker, err := d.Create(t.Context(), caller, env, directory.Application,
		object(t, `{"name":"W","enabled":true,"protocol":"OPENID_CONNECT","type":"WORKER","tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"}`))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"role":{"id":%q},"scope":{"type":"ENVIRONMENT","id":%q}}`, directory.RoleID(directory.RoleEnvironmentAdmin), env)
	if _, err := d.AssignRole(t.Context(), caller, env, directory.User, user.ID, object(t, body)); err != nil {
		t.Fatal(err)
	}
	if held := roleEntries(t, js); held != 4 {
		t.Fatalf("%d role assignments are stored", held)
	}
	for kind, id := range map[directory.Kind]string{directory.User: user.ID, directory.Application: worker.ID} {
		if err := d.Delete(t.Context(), caller, env, kind, id); err != nil {
			t.Fatal(err)
		}
		if _, err := d.RoleAssignments(env, kind, id); !errors.Is(err, directory.ErrNotFound) {
			t.Error(err)
		}
	}
	if held := roleEntries(t, js); held != 0 {
		t.Errorf("%d role assignments are left", held)
	}
}

func roleEntries(t *testing.T, js jetstream.JetStream) int {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), "directory")
	if err != nil {
		t.Fatal(err)
	}
	lister, err := kv.ListKeysFiltered(t.Context(), "roleAssignment.>")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range lister.Keys() {
		n++
	}
	return n
}
