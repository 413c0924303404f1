runbook "r" {
  phase "one" {
    check "a" {
      hosts = control # want CON-S028 "hosts does not go with tcp"
      stdin = "x"     # want CON-S028 "stdin does not go with tcp"
      tcp {
        address = "10.0.0.1"    # want CON-S030 "is not host:port"
        want    = "shut"        # want CON-S023 "cannot be"
        witness = "host:70000"  # want CON-S030 "is not host:port"
      }
    }
    check "b" {
      tcp { # want CON-S014 "has no address"
        witness = "10.0.0.1:1" # want CON-S028 "witness goes with want only"
      }
    }
    check "c" {
      become = "root" # want CON-S028 "become does not go with http"
      http {
        url         = "ftp://example.org" # want CON-S030 "is no http or https URL"
        method      = "POST"              # want CON-S023 "cannot be"
        want_status = ["200"]             # want CON-S022 "is a list of whole numbers"
        headers     = { "Bad Name" = "1" } # want CON-S029 "is no name"
        ca_file     = "ca.pem"            # want CON-P005 "ca.pem"
      }
    }
    check "d" {
      http {
        url         = "https://user:pass@example.org/" # want CON-S030 "holds a user or password"
        want_status = [42]                             # want CON-S026 "not from 100 to 599"
      }
    }
  }
}
