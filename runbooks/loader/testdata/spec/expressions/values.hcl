# Each function of the language at work, absent data caught, a null replaced.
runbook "r" {
  phase "p" {
    check "state" {
      hosts = control
      argv  = ["cat", "/run/state"]
      capture "lag" {
        value = result.stdout
        type  = number
      }
    }
    assert "absent" {
      condition = try(check.state.stdout, "none") == "none" || can(check.state.lag)
    }
    assert "null" {
      condition = coalesce(null, true)
    }
    assert "converted" {
      condition = tonumber("3") == 3 && tostring(3) == "3" && tobool("true") && length(tolist(["a"])) == 1 && length(toset(["a", "a"])) == 1
    }
    assert "more-conversions" {
      condition = lookup(tomap({ a = "b" }), "a", "") == "b" && alltrue([true]) && !anytrue([false]) && sum([1, 2]) == 3
    }
    assert "texts" {
      condition = sole(["a"]) == "a" && startswith("ab", "a") && endswith("ab", "b") && strcontains("abc", "b") && shellquote("a b") == "'a b'"
    }
    assert "data" {
      condition = base64decode(base64encode("a")) == "a" && strlen(sha256("a")) == 64 && jsondecode("{\"a\": 1}").a == 1 && yamldecode("a: 1").a == 1
    }
    assert "rows" {
      condition = csvdecode("a,b\n1,2\n")[0].b == "2" && length(ansibleinventory("[web]\nweb[1:3]\n")) == 3
    }
    assert "time" {
      condition = duration("2m") == 120 && timesub(timeadd("2026-01-01T00:00:00Z", 60), "2026-01-01T00:00:00Z") == 60
    }
    assert "instants" {
      condition = fromunix(0) == "1970-01-01T00:00:00Z" && startswith(timeparse("2026-01-01 10:00", "2006-01-02 15:04"), "2026-01-01T10:00")
    }
    assert "choice" {
      condition = check.state.lag > 3 ? true : check.state.ok
    }
    assert "loops" {
      condition = length([for a in [1, 2] : [for b in [3] : a * b]]) == 2
    }
  }
}
