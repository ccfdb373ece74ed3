package page_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

var makePictures = flag.Bool("make-pictures", false, "make the pictures in docs/pictures anew")

// TestPictures makes the pictures of the documentation, when it is told to:
//
//	go test ./simulator/receiver/page -run TestPictures -make-pictures
func TestPictures(t *testing.T) {
	if !*makePictures {
		t.Skip("not asked for with -make-pictures")
	}
	folder := filepath.Join("..", "..", "..", "docs", "pictures")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	b := newTab(d)
	play(d)
	b.open(d.url + "/")
	b.until(`document.querySelectorAll("#rows .note").length > 2 && document.getElementById("live").dataset.state === "live"`)
	save := func(name string) {
		t.Helper()
		b.settle()
		if err := os.WriteFile(filepath.Join(folder, name), b.picture(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.Look(1280, 800, "light")
	save("receiver-list.png")
	b.Look(1280, 800, "dark")
	b.press("t")
	save("receiver-timeline.png")
	b.press("t")
	retried := `[...document.querySelectorAll("#rows .row:not([hidden])")].find((r) => r.innerText.includes("×3") && r.innerText.includes("200"))`
	b.until(retried + ` !== undefined`)
	b.Look(1480, 860, "light")
	evaluate[any](b, retried+`.click()`)
	b.until(`document.getElementById("tab-Attempts")?.textContent === "Attempts 3"`)
	b.show("Body")
	save("receiver-detail.png")
	b.Look(1480, 860, "dark")
	b.show("Attempts")
	b.until(`document.querySelector(".difference .only-a")`)
	save("receiver-attempts.png")
	b.press("\x1b")
	b.Look(400, 800, "dark")
	save("receiver-narrow.png")
}

// settle waits until the page has drawn what there is to draw.
func (b *tab) settle() {
	b.Helper()
	evaluate[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 300))))`)
}

// play delivers for a while, as emitters do: batches of all sizes, some held
// too long, some answered with errors and tried again.
func play(d *desk) {
	d.Helper()
	endpoints := []gjson.Result{
		d.endpoint(`{"name":"SIEM","behaviour":"ok"}`),
		d.endpoint(`{"name":"user changes","behaviour":"flaky"}`),
		d.endpoint(`{"name":"collector","behaviour":"each-batch-fails-twice"}`),
	}
	listeners := []string{"trusted", "plain", "mtls-optional"}
	actions := []string{"USER.CREATED", "USER.UPDATED", "USER.ACCESS_ALLOWED", "PASSWORD.CHECK_SUCCEEDED", "GROUP.CREATED", "USER.DELETED"}
	const length = 40 * time.Second
	var playing sync.WaitGroup
	for i, endpoint := range endpoints {
		playing.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			pause := time.NewTimer(0)
			defer pause.Stop()
			for number, began := 0, time.Now(); time.Since(began) < length; number++ {
				<-pause.C
				size := min(500, int(math.Exp(random.ExpFloat64()*1.8)))
				age := time.Duration(random.Float64() * 1.9 * float64(time.Second))
				if random.IntN(14) == 0 {
					age += 1500 * time.Millisecond
				}
				payload := batch(1_000_000*i+1000*number, size, age, actions[random.IntN(len(actions))])
				if random.IntN(30) == 0 {
					payload = []byte("[]")
				}
				gap := 400 * time.Millisecond
				for range 3 {
					status := d.deliver(endpoint, listeners[i], payload, "User-Agent", "webhooks/1.4", "Authorization", "Splunk 2a6f")
					if status == 200 {
						break
					}
					pause.Reset(gap)
					<-pause.C
					gap *= 2
				}
				pause.Reset(time.Duration(random.ExpFloat64() * 0.7 * float64(time.Second)))
			}
		})
	}
	playing.Wait()
}
