# Everything from a fresh machine: `make demo`, `make test`. The virtual environment is .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# one family of each kind; `compare` without `--families` trains all of them
SHOWN := gaussian vae realnvp spline_coupling autoregressive gan flow_matching

.PHONY: demo test check lint clean

demo: $(STAMP)
	$(BIN)/probtransform compare --data digits --families $(SHOWN) --seconds 300 --workdir runs/demo
	@echo "open runs/demo/report.html"

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# uv where present, else venv and pip; the stamp makes a second run reuse what is there
$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --allow-existing --python $(PYTHON) .venv && \
		uv pip install --python $(BIN)/python -e '.[test]'; \
	else \
		$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install --disable-pip-version-check -q -e '.[test]'; \
	fi
	@touch $@

lint: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv runs
