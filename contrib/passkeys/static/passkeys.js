// Forms with data-passkey ask the browser for a passkey, or for a new one, before they
// are sent: the question comes from data-options, and the answer goes into the field
// "credential". The texts for people are in the form.
(() => {
	"use strict";

	const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
	const text = (buffer) => {
		let s = "";
		for (const b of new Uint8Array(buffer)) s += String.fromCharCode(b);
		return btoa(s).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	};
	const supported = Boolean(window.PublicKeyCredential && navigator.credentials);

	// question asks the site for what the browser is to ask the user.
	const question = async (form) => {
		const answer = await fetch(form.dataset.options, {method: "POST", headers: {Accept: "application/json"}, credentials: "same-origin"});
		if (!answer.ok) throw new Error("the site answered " + answer.status);
		const options = await answer.json();
		options.challenge = bytes(options.challenge);
		if (options.user) options.user.id = bytes(options.user.id);
		for (const list of [options.allowCredentials, options.excludeCredentials]) {
			for (const known of list || []) known.id = bytes(known.id);
		}
		return options;
	};

	// send puts the answer of the authenticator into the form and sends it.
	const send = (form, credential) => {
		const answer = {
			id: credential.id, rawId: text(credential.rawId), type: credential.type,
			authenticatorAttachment: credential.authenticatorAttachment || undefined,
			clientExtensionResults: {}, response: {clientDataJSON: text(credential.response.clientDataJSON)},
		};
		const r = credential.response;
		if (r.attestationObject) {
			answer.response.attestationObject = text(r.attestationObject);
			answer.response.transports = r.getTransports ? r.getTransports() : [];
		} else {
			answer.response.authenticatorData = text(r.authenticatorData);
			answer.response.signature = text(r.signature);
			if (r.userHandle) answer.response.userHandle = text(r.userHandle);
		}
		form.elements.credential.value = JSON.stringify(answer);
		const remember = document.querySelector("input[type=checkbox][name=remember]");
		if (form.elements.remember && remember && remember.checked) form.elements.remember.value = "on";
		form.submit();
	};

	let waiting = null; // the offer in the field of the address, of which there is one

	const begin = async (form) => {
		const status = form.querySelector("[role=status]");
		const button = form.querySelector("button");
		const say = (key) => { status.textContent = form.dataset[key] || form.dataset.failed; };
		if (!supported) return say("unsupported");
		if (waiting) waiting.abort();
		button.disabled = true;
		status.textContent = "";
		try {
			const publicKey = await question(form);
			send(form, await navigator.credentials[form.dataset.passkey]({publicKey}));
		} catch (error) {
			say({NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known"}[error.name] || "failed");
			button.disabled = false;
		}
	};

	// autofill lets the browser offer passkeys where the address is typed.
	const autofill = async (form) => {
		const field = document.querySelector("input[autocomplete~=username]");
		if (!supported || !field || !PublicKeyCredential.isConditionalMediationAvailable) return;
		if (!(await PublicKeyCredential.isConditionalMediationAvailable())) return;
		field.autocomplete = "username webauthn";
		for (;;) { // anew before the site takes no answer any more
			const turn = waiting = new AbortController();
			let late = false;
			const timer = setTimeout(() => { late = true; turn.abort(); }, 4 * 60 * 1000);
			try {
				const publicKey = await question(form);
				if (turn.signal.aborted) throw new DOMException("", "AbortError");
				return send(form, await navigator.credentials.get({publicKey, mediation: "conditional", signal: turn.signal}));
			} catch (error) {
				if (!late) return;
			} finally {
				clearTimeout(timer);
			}
		}
	};

	for (const form of document.querySelectorAll("form[data-passkey]")) {
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			begin(form);
		});
		if (form.dataset.autofill) autofill(form);
	}
})();
