for (const button of document.querySelectorAll("button[data-copy]")) {
	button.hidden = false;
	button.addEventListener("click", async () => {
		const area = document.getElementById(button.dataset.copy);
		const label = button.textContent;
		try {
			await navigator.clipboard.writeText(area.value);
		} catch {
			area.select();
			document.execCommand("copy");
		}
		button.textContent = "Copied";
		setTimeout(() => { button.textContent = label; }, 1500);
	});
}
