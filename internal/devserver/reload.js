(() => {
	const script = document.currentScript;
	const source = new EventSource("/-/retort/reload?since=" + encodeURIComponent(script.dataset.since));
	source.addEventListener("reload", () => { source.close(); location.reload(); });
	source.addEventListener("styles", (event) => {
		const names = JSON.parse(event.data);
		let links = 0;
		for (const link of document.querySelectorAll("link[rel~=stylesheet][href]")) {
			const url = new URL(link.href);
			if (url.origin !== location.origin) continue;
			links++;
			const file = url.pathname.split("/").pop();
			if (!names.some((name) => sameFile(file, name))) continue;
			url.searchParams.set("retort", Date.now());
			const fresh = link.cloneNode();
			fresh.href = url;
			fresh.addEventListener("load", () => link.remove());
			fresh.addEventListener("error", () => location.reload());
			link.after(fresh);
			names.splice(names.findIndex((name) => sameFile(file, name)), 1);
		}
		// A style that no link names is imported by another one.
		if (names.length > 0 && links > 0) location.reload();
	});
	// The name may carry a hash of the content: site.css, site.3f2a91c0.css.
	function sameFile(file, name) {
		const stem = name.replace(/\.css$/, "");
		return file === name || (file.startsWith(stem + ".") || file.startsWith(stem + "-")) && file.endsWith(".css");
	}
	addEventListener("pagehide", () => source.close());
	addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
