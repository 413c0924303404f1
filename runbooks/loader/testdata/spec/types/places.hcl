# What a place takes is known; results are typed before anything runs.
secret "token" {
  env = "TOKEN"
}

host "a" {
  address = "10.0.0.1"
}

host "b" {
  address = "10.0.0.2"
}

runbook "r" {
  variable "password" {
    sensitive = true
  }
  mark "m" {
    at = [1] # want CON-T009 "an instant is expected"
  }
  objective "o" {
    value   = check.one.line.x # want CON-E006
    at_most = 1
  }
  phase "p" {
    check "one" {
      hosts = host.a
      argv  = ["hostname"]
      capture "line" {
        value = result.stdout
      }
      capture "lines" {
        value = split("\n", result.stdout) # want CON-T007 "is list(string), not string"
      }
      capture "secret" {
        value     = result.stdout
        sensitive = true
      }
    }
    check "many" {
      hosts = [host.a, host.b]
      argv  = ["hostname"]
    }
    assert "a" {
      condition = check.one.exti_code == 0 # want CON-E006
    }
    assert "b" {
      condition = check.one.exit_code # want CON-T001 "true or false is expected"
    }
    assert "c" {
      condition = check.one.exit_code == "0" # want CON-E011
    }
    assert "d" {
      condition = check.many.stdout == "" # want CON-E006
    }
    assert "e" {
      condition = alltrue([for r in check.many.by_host : r.ok])
      message   = check.many.by_host # want CON-T002 "a text is expected"
    }
    step "f" {
      hosts   = "a"                                     # want CON-T003
      argv    = "true"                                  # want CON-T004 "argv is a list of words"
      become  = ["x"]                                   # want CON-T002
      env     = { A = ["x"] }                           # want CON-T002
      stdin   = { a = 1 }                               # want CON-T002
      when    = "true"                                  # want CON-T001
    }
    step "g" {
      hosts       = host.a
      argv        = ["login", secret.token]   # want CON-T006 "a secret cannot stand here"
      env         = { TOKEN = secret.token, P = var.password }
      stdin       = "${secret.token}\n"
      working_dir = "relative"                # want CON-S030 "is not absolute"
      become      = "-u"                      # want CON-S030 "is no user name"
    }
    step "h" {
      hosts  = host.a
      script = "echo ${var.password}" # want CON-T006 "a secret cannot stand here"
    }
    step "i" {
      hosts = [host.a, "b"]              # want CON-T003
      argv  = ["echo", check.one.secret] # want CON-T006
    }
    step "j" {
      hosts = host.a
      argv  = []                      # want CON-T004 "argv is empty"
    }
    step "k" {
      hosts = host.a
      argv  = ["echo", "a\u0000b"]    # want CON-S032
    }
    manual "l" {
      instructions = "Type ${secret.token}" # want CON-T006
    }
    wait "m" {
      duration = true # want CON-T009 "a duration is expected"
    }
    step "n" {
      hosts    = host.a
      for_each = 3 # want CON-T009 "a list, set or map is expected"
      argv     = ["echo", each.value]
    }
    step "o" {
      hosts    = host.a
      for_each = [{ name = "x" }]
      argv     = ["echo", each.valeu] # want CON-E006
    }
  }
}
