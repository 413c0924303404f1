# What an expression can be known to do wrong before anything runs.
secret "token" {
  env = "TOKEN"
}

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
    assert "element" {
      condition = ["a", "b"][2] == check.state.stdout # want CON-E008
    }
    assert "null" {
      condition = null ? true : false # want CON-E009
    }
    assert "a-null-condition" {
      condition = null # want CON-T001 "the condition is null"
    }
    assert "operator" {
      condition = "a" + 1 == 2 # want CON-E010
    }
    assert "list-in-a-text" {
      condition = "state ${["a"]}" == "state a" # want CON-E010
    }
    assert "equality" {
      condition = check.state.stdout == 0 # want CON-E011
    }
    assert "truth" {
      condition = true == "true" # want CON-E011
    }
    assert "key" {
      condition = length({ (secret.token) = 1 }) == 1 # want CON-E012 "key is sensitive" at "(secret.token)"
    }
    assert "call" {
      condition = tonumber("fast") == 1 # want CON-E013
    }
    assert "long" {
      condition = length([for a in range(1000) : [for b in range(1000) : b]]) > 0 # want CON-E015
    }
    assert "sole" {
      condition = sole(["a", "b"]) == "a" # want CON-E013 "sole"
    }
  }
}
