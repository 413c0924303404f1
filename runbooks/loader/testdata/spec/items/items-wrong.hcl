runbook "r" {
  phase "one" {
    step "none" { # want CON-S027 "does not say what it runs" want CON-S014 "has no hosts"
    }
    step "both" {
      hosts  = control
      argv   = ["true"]
      script = "true" # want CON-S027 "has both argv and script" at "script"
    }
    check "three" {
      argv = ["true"]
      tcp { # want CON-S027 "has both argv and tcp"
        address = "10.0.0.1:80"
      }
    }
    check "nothing" { # want CON-S027 "does not say what it checks"
      hosts = control
    }
    step "same" {
      hosts = control
      argv  = ["true"]
    }
    step "same" { # want CON-S040 "is declared twice"
      hosts = control
      argv  = ["true"]
    }
    check "same" {
      hosts = control
      argv  = ["true"]
    }
    step "attributes" {
      hosts      = control
      argv       = ["true"]
      depends_on = [step.same] # want CON-S011 "has no attribute"
      hostz      = control     # want CON-S011 "has no attribute" at "hostz"
      severity   = "finding"   # want CON-S011 "has no attribute"
      tolerate   = ["broken"]  # want CON-S023 "cannot be"
      verify     = "x"         # want CON-S013 "is a block, not an attribute"
      timeout { # want CON-S012 "is an attribute, not a block"
      }
      tcp { # want CON-S010 "has no block"
        address = "10.0.0.1:80"
      }
      host "x" { # want CON-S010 "has no block"
      }
      retry { # want CON-S014 "has no attempts"
      }
      verify {
        argv = ["true"]
      }
      verify { # want CON-S019 "more than one verify"
        argv = ["true"]
      }
      irreversible = true
      rollback { # want CON-S028 "is irreversible and has a rollback"
        argv = ["true"]
      }
    }
    wait "long" {
      duration = "a while" # want CON-S024
    }
    wait "none" { # want CON-S014 "has no duration"
    }
    assert "none" { # want CON-S014 "has no condition"
    }
    manual "none" { # want CON-S014 "has no instructions"
    }
  }
}
