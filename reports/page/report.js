"use strict";
// Everything on the page can be read without this script. It filters the list
// of rules, copies commands, and opens what a link leads into.
(() => {
	const $ = (id) => document.getElementById(id);
	const rules = [...document.querySelectorAll(".rule")].map((element) => ({ element, text: element.textContent.toLowerCase() }));

	const filter = () => {
		const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
		const outcome = $("outcome").value, level = $("level").value;
		let shown = 0;
		for (const { element, text } of rules) {
			const fits = words.every((w) => text.includes(w)) && (!outcome || element.dataset.outcome === outcome) && (!level || element.dataset.level === level);
			element.hidden = !fits;
			if (fits) shown++;
		}
		for (const area of document.querySelectorAll("section.area")) area.hidden = !area.querySelector(".rule:not([hidden])");
		$("found").textContent = shown + " of " + rules.length + " rules";
	};
	$("filter").hidden = false;
	$("filter").addEventListener("input", filter);
	$("filter").addEventListener("submit", (event) => event.preventDefault());
	filter();

	for (const command of document.querySelectorAll(".command")) {
		const button = document.createElement("button");
		button.type = "button";
		button.textContent = "Copy";
		button.setAttribute("aria-label", "Copy the command");
		button.addEventListener("click", async () => {
			try {
				await navigator.clipboard.writeText(command.textContent);
				button.textContent = "Copied";
			} catch {
				getSelection().selectAllChildren(command);
				button.textContent = "Selected";
			}
		});
		command.after(button);
	}

	// A link into the list of rules must not end at one that is filtered away
	// or closed.
	const reveal = () => {
		const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
		if (!target) return;
		if (target.hidden || target.closest("[hidden]")) {
			$("filter").reset();
			filter();
		}
		for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
		target.scrollIntoView();
	};
	addEventListener("hashchange", reveal);
	reveal();

	addEventListener("beforeprint", () => {
		for (const story of document.querySelectorAll(".story, .unseen")) story.open = true;
	});
})();
