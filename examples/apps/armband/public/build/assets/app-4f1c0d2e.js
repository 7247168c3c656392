document.querySelector("input")?.focus();
