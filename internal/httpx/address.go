package httpx

import (
	"net/http"
	"net/netip"
	"strings"
)

// realAddress returns the address of the client in RemoteAddr's form.
// X-Forwarded-For counts only when the peer is a trusted proxy, and is read from the right:
// every trusted proxy appended the address it saw, and whatever stands left of the first stranger is the stranger's invention.
func realAddress(r *http.Request, trusted []netip.Prefix) string {
	if !trustedPeer(r.RemoteAddr, trusted) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client := r.RemoteAddr
	for i := len(hops) - 1; i >= 0; i-- {
		ip, ok := parseAddress(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		client = netip.AddrPortFrom(ip, 0).String()
		if !within(ip, trusted) {
			break
		}
	}
	return client
}

// trustedPeer says whether the other end of the connection is a trusted proxy.
func trustedPeer(remoteAddr string, trusted []netip.Prefix) bool {
	ip, ok := parseAddress(remoteAddr)
	return ok && within(ip, trusted)
}

// parseAddress reads an address with or without a port; IPv4 in IPv6 becomes IPv4, and a zone is dropped.
func parseAddress(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return ip.Unmap().WithZone(""), err == nil
}

func within(ip netip.Addr, prefixes []netip.Prefix) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// Network is the address, or the /64 network that one subscriber has of IPv6: who shares a limit. Nonsense is the zero prefix.
func Network(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if ip = ip.Unmap(); ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits)
	return prefix
}
