package page_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// scene is a state of the page that must be accessible.
type scene struct {
	name string
	set  func(*tab)
}

func scenes() []scene {
	detail := func(name string) func(*tab) {
		return func(b *tab) {
			b.show(name)
			b.until(`document.getElementById("panel").childElementCount > 0`)
		}
	}
	dialog := func(key string) func(*tab) {
		return func(b *tab) {
			evaluate[any](b, `(document.getElementById("dialog").close(), document.activeElement.blur())`)
			b.until(`!document.querySelector("dialog[open]")`)
			b.press(key)
			b.until(`document.querySelector("dialog[open]")`)
		}
	}
	return []scene{
		{"list", func(*tab) {}},
		{"endpoint", func(b *tab) {
			b.click("nav li:nth-child(2) button")
			b.until(`!document.getElementById("endpoint").hidden`)
		}},
		{"events", func(b *tab) { b.openNewest() }},
		{"body", detail("Body")}, {"headers", detail("Headers")},
		{"connection", detail("Connection")}, {"attempts", func(b *tab) {
			b.show("Attempts")
			b.until(`document.querySelector(".difference .only-a")`)
		}},
		{"new endpoint", dialog("n")},
		{"keys", dialog("?")},
	}
}

// furnish fills a receiver with something of everything.
func furnish(d *desk) {
	d.Helper()
	mixed := d.endpoint(`{"name":"mixed","behaviour":{"steps":[{"status":302},{"status":404},{"status":500},{"reset":true}],"then":{"status":200}}}`)
	for i := range 3 {
		d.deliver(mixed, "plain", batch(i, 1+i*40, time.Duration(i)*3*time.Second, "USER.CREATED"))
	}
	d.deliver(mixed, "plain", []byte("not JSON"))
	other := d.endpoint(`{"name":"retried","behaviour":{"steps":[{"status":503}]}}`)
	for _, agent := range []string{"webhooks/1", "webhooks/2"} {
		d.deliver(other, "trusted", batch(500, 3, 4*time.Second, "USER.UPDATED"), "User-Agent", agent, "Authorization", "Bearer hidden")
	}
}

// controls are the nodes of Chromium's accessibility tree that a person
// operates. The tree follows the page after a moment.
func (b *tab) controls() []*accessibility.Node {
	b.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); b.settle() {
		tree := answer(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
		found := slices.DeleteFunc(tree, func(node *accessibility.Node) bool {
			role := axText(node.Role)
			return node.Ignored || role == "RootWebArea" || role == "dialog" || !slices.Contains(controlRoles(), role) && !focusable(node)
		})
		if len(found) > 0 {
			return found
		}
	}
	b.Fatal("the accessibility tree has no control")
	return nil
}

func controlRoles() []string {
	return []string{"button", "link", "textbox", "searchbox", "combobox", "ComboBoxSelect", "checkbox", "radio", "tab", "grid", "listbox", "slider", "menuitem"}
}

func TestEveryControlHasANameAndIsReachedByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	furnish(d)
	b.Look(1440, 900, "light")
	b.open(d.url + "/")
	b.until(rowCount + ` >= 5`)
	for _, s := range scenes() {
		s.set(b)
		b.walk()
		for _, node := range b.controls() {
			role := axText(node.Role)
			if axText(node.Name) == "" {
				t.Errorf("%s: a %s has no name: %s", s.name, role, b.outline(node.BackendDOMNodeID))
			}
			if !b.call(node.BackendDOMNodeID, `function() {
				return window.reached.has(this) || this.disabled === true || this.tagName === "OPTION"
					|| (this.getAttribute("role") === "tab" && [...this.parentNode.children].some(e => window.reached.has(e)))
					|| (document.querySelector("dialog[open]") !== null && !this.closest("dialog"));
			}`) {
				t.Errorf("%s: the Tab key never reaches the %s %q: %s", s.name, role, axText(node.Name), b.outline(node.BackendDOMNodeID))
			}
		}
	}
}

// walk presses the Tab key through the whole page and notes what it reaches.
func (b *tab) walk() {
	b.Helper()
	evaluate[any](b, `(() => { window.reached = new Set(); window.rounds = 0; document.activeElement.blur(); return true; })()`)
	for range 400 {
		b.press("\t")
		if evaluate[bool](b, `(() => {
			const e = document.activeElement;
			if (window.reached.has(e)) return true;
			if (e === document.body) return ++window.rounds > 3;
			window.reached.add(e);
			return false;
		})()`) {
			return
		}
	}
	b.Fatal("the Tab key comes to no end")
}

func focusable(node *accessibility.Node) bool {
	for _, property := range node.Properties {
		if string(property.Name) == "focusable" {
			return string(property.Value.Value) == "true"
		}
	}
	return false
}

func axText(value *accessibility.Value) string {
	var text string
	if value != nil {
		_ = json.Unmarshal(value.Value, &text)
	}
	return text
}

// call calls a function on an element and returns whether it says true.
func (b *tab) call(node cdp.BackendNodeID, function string) bool {
	b.Helper()
	return string(b.on(node, function)) == "true"
}

func (b *tab) outline(node cdp.BackendNodeID) string {
	b.Helper()
	return string(b.on(node, `function() { return (this.outerHTML ?? this.nodeName).slice(0, 160); }`))
}

func (b *tab) on(node cdp.BackendNodeID, function string) []byte {
	b.Helper()
	object := answer(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node}).Object
	byValue := true
	return answer(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object.ObjectID, ReturnByValue: &byValue,
	}).Result.Value
}

// faint lists the texts whose contrast to what they stand on is below 4.5 : 1
// (WCAG 2.2, success criterion 1.4.3), as computed by the browser.
const faint = `(() => {
	const parse = (text) => {
		const context = (window.probe ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));
		context.clearRect(0, 0, 1, 1);
		context.fillStyle = text;
		context.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
		return [r, g, b, a / 255];
	};
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const ground = (element) => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
		const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || matchMedia("(prefers-color-scheme: dark)").matches;
		return layers.reverse().reduce((below, top) => over(top, below), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
	};
	const light = (c) => {
		const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const open = document.querySelector("dialog[open]");
	const found = [];
	let looked = 0;
	const look = (element, text) => {
		const style = getComputedStyle(element);
		if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || style.fontSize === "0px") return;
		if (open && !open.contains(element)) return;
		const below = ground(element);
		const [a, b] = [light(over(parse(style.color), below)), light(below)];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		looked++;
		if (ratio < 4.5) found.push(text.trim().slice(0, 40) + " (" + element.className + "): " + ratio.toFixed(2));
	};
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) if (walker.currentNode.data.trim()) look(walker.currentNode.parentElement, walker.currentNode.data);
	for (const field of document.querySelectorAll("input, textarea")) look(field, field.value || field.placeholder);
	if (looked < 10) found.push("only " + looked + " texts were looked at");
	return found;
})()`

func TestEveryTextHasContrast(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			b := newTab(d)
			furnish(d)
			b.Look(1440, 900, scheme)
			b.open(d.url + "/")
			b.until(rowCount + ` >= 5`)
			for _, s := range scenes() {
				s.set(b)
				for _, text := range evaluate[[]string](b, faint) {
					t.Errorf("%s: %s", s.name, text)
				}
			}
		})
	}
}

func TestNothingIsCutOffAt400Pixels(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	furnish(d)
	b.Look(400, 800, "light")
	b.open(d.url + "/")
	b.until(rowCount + ` >= 5`)
	for _, s := range scenes() {
		s.set(b)
		// What is wider than the window must scroll in its own place.
		for _, wide := range evaluate[[]string](b, `(() => {
			const scrolls = (e) => { for (; e; e = e.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) && e !== document.body) return true; return false; };
			const wide = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement));
			return wide.map((e) => e.outerHTML.slice(0, 120));
		})()`) {
			t.Errorf("%s: wider than the window: %s", s.name, wide)
		}
		if width := evaluate[int](b, `document.documentElement.scrollWidth`); width > 400 {
			t.Errorf("%s: the page is %d pixels wide", s.name, width)
		}
	}
}
