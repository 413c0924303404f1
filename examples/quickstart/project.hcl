# Two practice hosts, one at each site. `continuo lab up` starts them on this machine: environment "lab" and a loopback
# address are what make a host a practice host. Their sandboxes begin as copies of lab/orders-a and lab/orders-b.

project "quickstart" {
  environment = "lab"
  timezone    = "Europe/London"
  known_hosts = ".lab/known_hosts" # written by `lab up`; a real project keeps its own under review

  connection {
    user           = "drill"
    identity_files = [".lab/id_ed25519"]
    agent          = "none"
  }
}

host "orders-a" {
  address = "127.0.0.1"
  port    = 22201
  site    = "a"
  labels  = { service = "orders" }
}

host "orders-b" {
  address = "127.0.0.1"
  port    = 22202
  site    = "b"
  labels  = { service = "orders" }
}
