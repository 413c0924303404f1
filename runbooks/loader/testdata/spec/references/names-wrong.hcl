host "db" {
  address = "10.0.0.1"
}

runbook "other" {
  phase "p" {
    check "there" {
      hosts = control
      argv  = ["true"]
    }
  }
}

runbook "r" {
  variable "lag" {
    default = "1"
  }
  phase "p" {
    assert "a" {
      condition = var.lga == "1" # want CON-R002 "there is no variable" at "lga"
    }
    assert "b" {
      condition = hots.db.name == "db" # want CON-E002
    }
    assert "c" {
      condition = host.bd.name == "db" # want CON-R004 at "bd"
    }
    assert "d" {
      condition = check.there.ok # want CON-R012 "unknown check" at "there"
    }
    assert "e" {
      condition = self.name == "" # want CON-R019 "self has no meaning here"
    }
    assert "f" {
      condition = result.stdout == "" # want CON-R019 "result has no meaning here"
    }
    assert "g" {
      condition = runbook.other == "" # want CON-R019 "cannot be used in an expression"
    }
    check "h" {
      hosts = self        # want CON-R019 "self has no meaning here"
      argv  = [each.key]  # want CON-R019 "each has no meaning here"
      expect {
        condition = results == 1 # want CON-R019 "results has no meaning here"
      }
    }
    check "i" {
      hosts = batch # want CON-R019 "batch has no meaning here"
      argv  = ["true"]
    }
    assert "j" {
      condition = check[var.lag].ok # want CON-E005
    }
    assert "k" {
      condition = step == "" # want CON-E004
    }
    assert "l" {
      condition = group.web != "" # want CON-R005 "there is no group" at "web"
    }
    assert "m" {
      condition = secret.web != "" # want CON-R007 "there is no secret" at "web"
    }
    assert "n" {
      condition = role.web != "" # want CON-R006 "there is no role" at "web"
    }
  }
}
