package directory

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// A Password is what is kept of a user's password: never the password itself.
type Password struct {
	Salt, Hash []byte // PBKDF2 with HMAC-SHA-256; empty if Encoded
	Encoded    string // a value that came encoded, e.g. {SSHA512}…
	MustChange bool
	ChangedAt  time.Time
}

// States of a password (V7).
const (
	PasswordOK         = "OK"
	PasswordMissing    = "NO_PASSWORD"
	PasswordMustChange = "MUST_CHANGE_PASSWORD"
)

// PasswordState is the platform's word for a user's password.
func (e Entity) PasswordState() string {
	switch {
	case e.Password == nil:
		return PasswordMissing
	case e.Password.MustChange:
		return PasswordMustChange
	}
	return PasswordOK
}

// NoPassword says that an operation needs a password that the user does not have.
type NoPassword struct{}

func (NoPassword) Error() string { return "the user has no password" }

const (
	passwordRounds = 10_000 // about two milliseconds; nobody's real password belongs into a reference
	maxPassword    = 255    // characters
)

// encodings are the salted hashes that a value may come in: the digest with the salt after it, in base 64.
var encodings = map[string]func() hash.Hash{
	"SSHA": sha1.New, "SSHA256": sha256.New, "SSHA384": sha512.New384, "SSHA512": sha512.New,
}

// readPassword makes a password from the member of a request that has it.
func readPassword(o body.Object, name string, now time.Time) *Password {
	value := requiredText(o, name)
	if value == "" {
		return nil
	}
	if maximum := maxPassword; len([]rune(value)) > maximum {
		o.Report(body.Problem{
			Code: body.SizeLimitExceeded, Target: o.Path(name), Message: "The password is too long.", Inner: &body.Inner{MaximumValue: &maximum},
		})
		return nil
	}
	p := &Password{ChangedAt: now}
	if scheme, encoded, ok := encodedAs(value); ok {
		if _, _, valid := digest(scheme, encoded); !valid {
			known := []string{}
			for name := range encodings {
				known = append(known, "{"+name+"}")
			}
			slices.Sort(known)
			o.Report(body.Problem{
				Code: body.InvalidValue, Target: o.Path(name), Message: "The encoding of the password is not supported.",
				Inner: &body.Inner{AllowedValues: known},
			})
			return nil
		}
		p.Encoded = value
		return p
	}
	p.Salt = make([]byte, 16)
	rand.Read(p.Salt)
	p.Hash = derived(value, p.Salt)
	return p
}

func derived(value string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, value, salt, passwordRounds, sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("derive key: %v", err)) // only for lengths that are out of bounds
	}
	return key
}

// encodedAs splits {SCHEME}rest.
func encodedAs(value string) (scheme, encoded string, ok bool) {
	rest, ok := strings.CutPrefix(value, "{")
	if !ok {
		return "", "", false
	}
	scheme, encoded, ok = strings.Cut(rest, "}")
	return scheme, encoded, ok && scheme != "" && strings.ToUpper(scheme) == scheme && !strings.ContainsAny(scheme, " \t")
}

func digest(scheme, encoded string) (sum, salt []byte, ok bool) {
	algorithm, known := encodings[scheme]
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !known || err != nil || len(raw) <= algorithm().Size() {
		return nil, nil, false
	}
	return raw[:algorithm().Size()], raw[algorithm().Size():], true
}

// is says whether a value is the password.
func (p *Password) is(value string) bool {
	if p.Encoded == "" {
		return subtle.ConstantTimeCompare(derived(value, p.Salt), p.Hash) == 1
	}
	scheme, encoded, _ := encodedAs(p.Encoded)
	sum, salt, ok := digest(scheme, encoded)
	if !ok {
		return false
	}
	h := encodings[scheme]()
	h.Write([]byte(value))
	h.Write(salt)
	return bytes.Equal(h.Sum(nil), sum)
}

// ImportUser makes a user with a password. Its errors are those of Create.
func (d *Directory) ImportUser(ctx context.Context, caller Caller, environmentID string, o body.Object) (Entity, error) {
	var password *Password
	if o.Sent("password") {
		brought := o.Object("password")
		password = readPassword(brought, "value", d.opts.Now())
		if must := brought.Bool("forceChange"); password != nil {
			password.MustChange = must
		}
	}
	return d.create(ctx, caller, environmentID, User, o, password)
}

// SetPassword gives a user the password "value", to be changed at the next sign-on if "forceChange" says so.
func (d *Directory) SetPassword(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (Entity, error) {
	password := readPassword(o, "value", d.opts.Now())
	if must := o.Bool("forceChange"); password != nil {
		password.MustChange = must
	}
	return d.changePassword(ctx, caller, environmentID, id, "Set", func(Entity) (*Password, error) { return password, refusal(o) })
}

// ResetPassword gives a user the password "newPassword". With the right "currentPassword" it is the user's own choice;
// without one it must be changed at the next sign-on.
func (d *Directory) ResetPassword(ctx context.Context, caller Caller, environmentID, id string, o body.Object) (Entity, error) {
	password := readPassword(o, "newPassword", d.opts.Now())
	current := o.String("currentPassword")
	return d.changePassword(ctx, caller, environmentID, id, "Reset", func(old Entity) (*Password, error) {
		if current != "" && (old.Password == nil || !old.Password.is(current)) {
			o.Report(body.Problem{Code: body.InvalidValue, Target: "currentPassword", Message: "This is not the current password."})
		}
		if password != nil {
			password.MustChange = current == ""
		}
		return password, refusal(o)
	})
}

// ForcePasswordChange makes a user choose another password at the next sign-on. A user without one: NoPassword.
func (d *Directory) ForcePasswordChange(ctx context.Context, caller Caller, environmentID, id string) (Entity, error) {
	return d.changePassword(ctx, caller, environmentID, id, "Force Change", func(old Entity) (*Password, error) {
		if old.Password == nil {
			return nil, NoPassword{}
		}
		next := *old.Password
		next.MustChange = true
		return &next, nil
	})
}

func refusal(o body.Object) error {
	if found := o.Problems(); len(found) > 0 {
		return &Invalid{found}
	}
	return nil
}

// changePassword records what was done to a user's password; the words are those of the event's description.
func (d *Directory) changePassword(ctx context.Context, caller Caller, environmentID, id, done string,
	change func(old Entity) (*Password, error)) (Entity, error) {
	return d.amend(ctx, environmentID, User, id, func(e *environment, old Entity) (Entity, event.Event, error) {
		password, err := change(old)
		if err != nil {
			return old, event.Event{}, err
		}
		next := old
		next.Password, next.UpdatedAt = password, d.opts.Now()
		recorded := d.entityEvent(caller, User, "Updated", next, done+" Password for User "+next.Name())
		recorded.Type = "PASSWORD." + strings.ReplaceAll(strings.ToUpper(done), " ", "_")
		recorded.Description = "Password " + done
		return next, e.tagged(recorded, next), nil
	})
}
