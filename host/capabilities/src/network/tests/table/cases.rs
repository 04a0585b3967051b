//! The table of ways in which somebody might get out, and of what is granted and does work.
//!
//! Each row: what it tries; the origins that are granted, for GET, HEAD, POST and PUT; what the name
//! server says; the request, with header fields on lines of their own; what it comes to. `OPEN` is
//! the port of a service on 127.0.0.1, `TRAP` that of a listener on every address of the machine.

/// A row of the table.
pub(super) type Case = (&'static str, &'static str, &'static str, &'static str, Comes);

/// How many requests arrive at the service, and what the guest gets: a status, or the kind of a
/// failure.
pub(super) type Outcome = (usize, &'static str);

/// What a row comes to by `probe`, and by `wasi:http`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comes(pub(super) Outcome, pub(super) Outcome);

const fn both(requests: usize, word: &'static str) -> Comes {
    Comes((requests, word), (requests, word))
}

/// It works.
const WORKS: Comes = both(1, "200");
/// Nothing goes out.
const DENIED: Comes = both(0, "denied");
/// It is no request at all.
const INVALID: Comes = both(0, "invalid");
/// The service sends it on, and there it ends.
const SENT_ON: Comes = both(1, "denied");
/// The name does not lead anywhere.
const UNKNOWN: Comes = both(0, "unavailable");
/// No guest can write such a URL for `wasi:http`; `probe` reads it as browsers do.
const ODD: Comes = Comes((0, "denied"), (0, "invalid"));
/// The same, where it is granted.
const ODD_WORKS: Comes = Comes((1, "200"), (0, "invalid"));
/// No such method for `probe`, one that is not granted for `wasi:http`.
const SMALL: Comes = Comes((0, "invalid"), (0, "denied"));
/// The service sends it on to what is no server; for a guest that follows by itself, no request.
const SENT_NOWHERE: Comes = Comes((1, "failed"), (1, "invalid"));
/// `probe` refuses the header field, `wasi:http` leaves it out.
const LEFT_OUT: Comes = Comes((0, "invalid"), (1, "200"));

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    // What is granted works, so that what follows is not refused for another reason.
    ("an address", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok", WORKS),
    ("a name and its address", NAME, HERE, "GET http://clinic.test:OPEN/ok", WORKS),
    ("a name by an alias", NAME, "clinic.test = -> www.test; www.test = 127.0.0.1", "GET http://clinic.test:OPEN/ok", WORKS),
    ("capitals", NAME, HERE, "GET HTTP://CLINIC.Test:OPEN/ok", WORKS),
    ("a trailing dot", NAME, HERE, "GET http://clinic.test.:OPEN/ok", WORKS),
    ("loopback by its name", "http://localhost:OPEN", "", "GET http://localhost:OPEN/ok", WORKS),
    ("a name beneath a wildcard", "http://*.clinic.test:OPEN http://127.0.0.1:OPEN", "a.b.clinic.test = 127.0.0.1", "GET http://a.b.clinic.test:OPEN/ok", WORKS),
    ("a redirect to another granted name", NAME, HERE, "GET http://127.0.0.1:OPEN/redirect?302&http://clinic.test:OPEN/ok", both(2, "200")),
    ("an address in decimal", "http://127.0.0.1:OPEN", "", "GET http://2130706433:OPEN/ok", WORKS),
    ("an address in octal", "http://127.0.0.1:OPEN", "", "GET http://0177.0.0.1:OPEN/ok", WORKS),
    ("an address in hexadecimal", "http://127.0.0.1:OPEN", "", "GET http://0x7f000001:OPEN/ok", WORKS),
    ("a percent-encoded name", NAME, HERE, "GET http://clinic%2etest:OPEN/ok", ODD_WORKS),
    ("ideographic full stops", NAME, HERE, "GET http://clinic。test:OPEN/ok", ODD_WORKS),
    ("full-width letters", NAME, HERE, "GET http://ｃlinic.test:OPEN/ok", ODD_WORKS),
    ("a name with an accent", "http://bücher.test:OPEN http://127.0.0.1:OPEN", "xn--bcher-kva.test = 127.0.0.1", "GET http://xn--bcher-kva.test:OPEN/ok", WORKS),

    // Scheme, host, port and method have to be the granted ones.
    ("another scheme", "https://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok", DENIED),
    ("TLS where none is granted", "http://127.0.0.1:OPEN", "", "GET https://127.0.0.1:OPEN/ok", DENIED),
    ("another port", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:TRAP/", DENIED),
    ("another port than the scheme's own", "http://127.0.0.1", "", "GET http://127.0.0.1:TRAP/", DENIED),
    ("another address", "http://127.0.0.1:TRAP", "", "GET http://127.0.0.2:TRAP/", DENIED),
    ("another name", TRAP, "evil.test = 127.0.0.1", "GET http://evil.test:TRAP/", DENIED),
    ("the granted name within another one", TRAP, "clinic.test.evil.test = 127.0.0.1", "GET http://clinic.test.evil.test:TRAP/", DENIED),
    ("the granted name at the end of another one", TRAP, "evilclinic.test = 127.0.0.1", "GET http://evilclinic.test:TRAP/", DENIED),
    ("the granted name in the query", TRAP, "evil.test = 127.0.0.1", "GET http://evil.test:TRAP/?clinic.test:TRAP", DENIED),
    ("the granted name in the fragment", TRAP, "evil.test = 127.0.0.1", "GET http://evil.test:TRAP#@clinic.test:TRAP/", DENIED),
    ("the granted name after a backslash", TRAP, "evil.test = 127.0.0.1", "GET http://evil.test:TRAP\\@clinic.test:TRAP/", ODD),
    ("a name whose address alone is granted", "http://127.0.0.1:OPEN", HERE, "GET http://clinic.test:OPEN/ok", DENIED),
    ("an address whose name alone is granted", "http://clinic.test:OPEN", HERE, "GET http://127.0.0.1:OPEN/ok", DENIED),
    ("a look-alike of the granted name", TRAP, "xn--linic-e4d.test = 127.0.0.1", "GET http://сlinic.test:TRAP/", ODD),
    ("a method that is not granted", "http://127.0.0.1:OPEN", "", "DELETE http://127.0.0.1:OPEN/ok", DENIED),
    ("a method that shows header fields", "http://127.0.0.1:OPEN", "", "TRACE http://127.0.0.1:OPEN/ok", DENIED),
    ("a method of one's own", "http://127.0.0.1:OPEN", "", "PROPFIND http://127.0.0.1:OPEN/ok", DENIED),
    ("a method in small letters", "http://127.0.0.1:OPEN", "", "get http://127.0.0.1:OPEN/ok", SMALL),
    ("a tunnel", "http://127.0.0.1:OPEN", "", "CONNECT http://127.0.0.1:OPEN/ok", INVALID),
    ("a tunnel in small letters", "http://127.0.0.1:OPEN", "", "connect http://127.0.0.1:OPEN/ok", SMALL),
    ("a method with a space", "http://127.0.0.1:OPEN", "", "GETSPACE http://127.0.0.1:OPEN/ok", INVALID),
    ("a method with a second line", "http://127.0.0.1:OPEN", "", "GETCRLFX: http://127.0.0.1:OPEN/ok", INVALID),

    // Users, ports and schemes that a URL may hide.
    ("a user in front of another host", TRAP, "evil.test = 127.0.0.1", "GET http://clinic.test:TRAP@evil.test:TRAP/", INVALID),
    ("a user and a password", NAME, HERE, "GET http://u:p@clinic.test:OPEN/ok", INVALID),
    ("a user alone", NAME, HERE, "GET http://u@clinic.test:OPEN/ok", INVALID),
    ("a password alone", NAME, HERE, "GET http://:p@clinic.test:OPEN/ok", INVALID),
    ("an encoded at-sign", TRAP, "", "GET http://evil.test%40clinic.test:TRAP/", INVALID),
    ("port 0", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:0/", INVALID),
    ("port 65536", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:65536/", INVALID),
    ("a port that overflows into the granted one", "http://127.0.0.1", "", "GET http://127.0.0.1:65616/", INVALID),
    ("a negative port", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:-1/", INVALID),
    ("two ports", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN:TRAP/", INVALID),
    ("no port after the colon", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:/", DENIED),
    ("a file", NAME, HERE, "GET file:///etc/passwd", INVALID),
    ("a file of a host", NAME, HERE, "GET file://clinic.test:OPEN/etc/passwd", INVALID),
    ("FTP", NAME, HERE, "GET ftp://clinic.test:OPEN/", INVALID),
    ("gopher", NAME, HERE, "GET gopher://clinic.test:OPEN/_GET%20/", INVALID),
    ("a web socket", NAME, HERE, "GET ws://clinic.test:OPEN/", INVALID),
    ("data", NAME, HERE, "GET data:text/plain,x", INVALID),
    ("a socket of the machine", NAME, HERE, "GET unix:///run/docker.sock", INVALID),
    ("no scheme", NAME, HERE, "GET clinic.test:OPEN/", INVALID),
    ("a path alone", NAME, HERE, "GET /ok", INVALID),

    // Hosts that are written to look like none, or like another one.
    ("no host", NAME, HERE, "GET http://", INVALID),
    ("a dot", NAME, HERE, "GET http://./", INVALID),
    ("an empty label", NAME, HERE, "GET http://clinic..test:OPEN/ok", INVALID),
    ("two trailing dots", NAME, HERE, "GET http://clinic.test..:OPEN/ok", INVALID),
    ("a space in the name", NAME, HERE, "GET http://clinic.test .evil.test:OPEN/ok", INVALID),
    ("a zero byte in the name", NAME, HERE, "GET http://clinic.test%00.evil.test:OPEN/ok", INVALID),
    ("a line break in the name", NAME, HERE, "GET http://clinic.test%0d%0aevil.test:OPEN/ok", INVALID),
    ("a letter that becomes a slash", NAME, HERE, "GET http://clinic.test／evil.test:OPEN/ok", INVALID),
    ("a letter that becomes an at-sign", NAME, HERE, "GET http://evil.test＠clinic.test:OPEN/ok", INVALID),
    ("a letter that looks like a dot", TRAP, "clinic.test.evil.test = 127.0.0.1", "GET http://clinic.test․evil.test:TRAP/", INVALID),
    ("broken punycode", NAME, HERE, "GET http://xn--a.test:OPEN/ok", INVALID),
    ("the name of a wildcard", "http://*.clinic.test:OPEN http://127.0.0.1:OPEN", "*.clinic.test = 127.0.0.1", "GET http://*.clinic.test:OPEN/ok", INVALID),
    ("what stands above a wildcard", "http://*.clinic.test:OPEN http://127.0.0.1:TRAP", "clinic.test = 127.0.0.1", "GET http://clinic.test:OPEN/ok", DENIED),
    ("what ends like a wildcard", "http://*.clinic.test:TRAP", "evilclinic.test = 127.0.0.1", "GET http://evilclinic.test:TRAP/", DENIED),
    ("a wildcard in the middle", "http://*.clinic.test:TRAP", "a.clinic.test.evil.test = 127.0.0.1", "GET http://a.clinic.test.evil.test:TRAP/", DENIED),
    ("a wildcard without a label", "http://*.clinic.test:TRAP", "", "GET http://.clinic.test:TRAP/", INVALID),

    // Loopback in every spelling, where a name alone is granted.
    ("loopback", TRAP, "", "GET http://127.0.0.1:TRAP/", DENIED),
    ("loopback in decimal", TRAP, "", "GET http://2130706433:TRAP/", DENIED),
    ("loopback in octal", TRAP, "", "GET http://0177.0.0.1:TRAP/", DENIED),
    ("loopback in one octal number", TRAP, "", "GET http://017700000001:TRAP/", DENIED),
    ("loopback in hexadecimal", TRAP, "", "GET http://0x7f.0x0.0x0.0x1:TRAP/", DENIED),
    ("loopback in short", TRAP, "", "GET http://127.1:TRAP/", DENIED),
    ("loopback with a trailing dot", TRAP, "", "GET http://127.0.0.1.:TRAP/", DENIED),
    ("loopback, percent-encoded", TRAP, "", "GET http://%31%32%37.0.0.1:TRAP/", ODD),
    ("loopback in full-width digits", TRAP, "", "GET http://１２７.0.0.1:TRAP/", ODD),
    ("loopback with ideographic full stops", TRAP, "", "GET http://127。0。0。1:TRAP/", ODD),
    ("another address of loopback", TRAP, "", "GET http://127.255.255.254:TRAP/", DENIED),
    ("no address", TRAP, "", "GET http://0.0.0.0:TRAP/", DENIED),
    ("no address in short", TRAP, "", "GET http://0:TRAP/", DENIED),
    ("loopback of IPv6", TRAP, "", "GET http://[::1]:TRAP/", DENIED),
    ("loopback of IPv6 in long", TRAP, "", "GET http://[0:0:0:0:0:0:0:1]:TRAP/", DENIED),
    ("no address of IPv6", TRAP, "", "GET http://[::]:TRAP/", DENIED),
    ("mapped loopback", TRAP, "", "GET http://[::ffff:127.0.0.1]:TRAP/", DENIED),
    ("mapped loopback in hexadecimal", TRAP, "", "GET http://[::ffff:7f00:1]:TRAP/", DENIED),
    ("mapped loopback where loopback is granted", "http://127.0.0.1:OPEN", "", "GET http://[::ffff:127.0.0.1]:OPEN/ok", DENIED),
    ("compatible loopback", TRAP, "", "GET http://[::127.0.0.1]:TRAP/", DENIED),
    ("loopback behind NAT64", TRAP, "", "GET http://[64:ff9b::7f00:1]:TRAP/", DENIED),
    ("loopback by 6to4", TRAP, "", "GET http://[2002:7f00:1::]:TRAP/", DENIED),
    ("loopback with a zone", TRAP, "", "GET http://[::1%25lo]:TRAP/", INVALID),
    ("a link-local address with a zone", TRAP, "", "GET http://[fe80::1%25eth0]:TRAP/", INVALID),
    ("an address with a number too many", TRAP, "", "GET http://127.0.0.0.1:TRAP/", INVALID),
    ("an address with a number too large", TRAP, "", "GET http://127.0.0.256:TRAP/", INVALID),
    ("an address that overflows", TRAP, "", "GET http://6425673729:TRAP/", INVALID),
    ("localhost", TRAP, "", "GET http://localhost:TRAP/", DENIED),
    ("localhost in capitals with a dot", TRAP, "", "GET http://LOCALHOST.:TRAP/", DENIED),
    ("a name beneath localhost", "http://*.localhost:TRAP", "", "GET http://a.localhost:TRAP/", DENIED),
    ("localhost by its wildcard", "http://*.localhost:TRAP", "", "GET http://localhost:TRAP/", DENIED),
    ("an address where localhost is granted", "http://localhost:OPEN", "", "GET http://127.0.0.1:OPEN/ok", DENIED),
    ("the metadata service", TRAP, "", "GET http://169.254.169.254/latest/meta-data/", DENIED),
    ("the metadata service in hexadecimal", TRAP, "", "GET http://0xa9fea9fe/latest/meta-data/", DENIED),
    ("the metadata service over IPv6", TRAP, "", "GET http://[fd00:ec2::254]/latest/meta-data/", DENIED),

    // A granted name opens no address that is not public, whichever way the answer wraps it.
    ("a name for loopback", TRAP, "clinic.test = 127.0.0.1", ASK, DENIED),
    ("a name for another address of loopback", TRAP, "clinic.test = 127.8.8.8", ASK, DENIED),
    ("a name for loopback of IPv6", TRAP, "clinic.test = ::1", ASK, DENIED),
    ("a name for no address", TRAP, "clinic.test = 0.0.0.0", ASK, DENIED),
    ("a name for no address of IPv6", TRAP, "clinic.test = ::", ASK, DENIED),
    ("a name for mapped loopback", TRAP, "clinic.test = ::ffff:127.0.0.1", ASK, DENIED),
    ("a name for a mapped public address", TRAP, "clinic.test = ::ffff:9.9.9.9", ASK, DENIED),
    ("a name for compatible loopback", TRAP, "clinic.test = ::127.0.0.1", ASK, DENIED),
    ("a name for loopback behind NAT64", TRAP, "clinic.test = 64:ff9b::7f00:1", ASK, DENIED),
    ("a name for loopback behind a NAT64 of one's own", TRAP, "clinic.test = 64:ff9b:1::7f00:1", ASK, DENIED),
    ("a name for loopback by 6to4", TRAP, "clinic.test = 2002:7f00:1::", ASK, DENIED),
    ("a name for loopback by Teredo", TRAP, "clinic.test = 2001:0:9090:9090::80ff:fffe", ASK, DENIED),
    ("a name for a private address", TRAP, "clinic.test = 10.0.0.5", ASK, DENIED),
    ("a name for a private address of the second block", TRAP, "clinic.test = 172.16.0.1", ASK, DENIED),
    ("a name for a private address of the third block", TRAP, "clinic.test = 192.168.1.1", ASK, DENIED),
    ("a name for a private address of IPv6", TRAP, "clinic.test = fc00::1", ASK, DENIED),
    ("a name for what is behind a carrier's NAT", TRAP, "clinic.test = 100.64.0.1", ASK, DENIED),
    ("a name for a link-local address", TRAP, "clinic.test = 169.254.1.1", ASK, DENIED),
    ("a name for a link-local address of IPv6", TRAP, "clinic.test = fe80::1", ASK, DENIED),
    ("a name for a site-local address", TRAP, "clinic.test = fec0::1", ASK, DENIED),
    ("a name for the metadata service", TRAP, "clinic.test = 169.254.169.254", ASK, DENIED),
    ("a name for the metadata service, mapped", TRAP, "clinic.test = ::ffff:169.254.169.254", ASK, DENIED),
    ("a name for the metadata service over IPv6", TRAP, "clinic.test = fd00:ec2::254", ASK, DENIED),
    ("a name for another metadata service", TRAP, "clinic.test = 100.100.100.200", ASK, DENIED),
    ("a name for the services of another cloud", TRAP, "clinic.test = 168.63.129.16", ASK, DENIED),
    ("a name for many machines", TRAP, "clinic.test = 224.0.0.1", ASK, DENIED),
    ("a name for many machines of IPv6", TRAP, "clinic.test = ff02::1", ASK, DENIED),
    ("a name for all machines", TRAP, "clinic.test = 255.255.255.255", ASK, DENIED),
    ("a name for what is reserved", TRAP, "clinic.test = 240.0.0.1", ASK, DENIED),
    ("a name for what is reserved in IPv6", TRAP, "clinic.test = 4000::1", ASK, DENIED),
    ("a name for documentation", TRAP, "clinic.test = 192.0.2.1 2001:db8::1", ASK, DENIED),
    ("a name for benchmarks", TRAP, "clinic.test = 198.18.0.1", ASK, DENIED),
    ("a name beneath a wildcard for loopback", "http://*.clinic.test:TRAP", "a.clinic.test = 127.0.0.1", "GET http://a.clinic.test:TRAP/", DENIED),

    // One bad address refuses them all, and no alias and no second answer leads around that.
    ("a public address and loopback", TRAP, "clinic.test = 9.9.9.9 127.0.0.1", ASK, DENIED),
    ("loopback and a public address", TRAP, "clinic.test = 127.0.0.1 9.9.9.9", ASK, DENIED),
    ("a public address and loopback of the other family", TRAP, "clinic.test = 9.9.9.9 ::1", ASK, DENIED),
    ("loopback last of many", TRAP, "clinic.test = 9.9.9.9 1.1.1.1 8.8.8.8 9.9.9.10 1.0.0.1 127.0.0.1", ASK, DENIED),
    ("an alias of localhost", TRAP, "clinic.test = -> localhost", ASK, DENIED),
    ("an alias of an alias of localhost", TRAP, "clinic.test = -> a.test; a.test = -> b.test; b.test = -> localhost", ASK, DENIED),
    ("an alias of a name for loopback", TRAP, "clinic.test = -> evil.test; evil.test = 127.0.0.1", ASK, DENIED),
    ("an alias that leads round in a circle", TRAP, "clinic.test = -> a.test; a.test = -> clinic.test", ASK, UNKNOWN),
    ("a name that nobody knows", TRAP, "", ASK, UNKNOWN),
    ("a name without an address", TRAP, "clinic.test = ", ASK, UNKNOWN),
    ("a name that leads elsewhere at its second lookup", NAME, "clinic.test = 127.0.0.1 | 127.0.0.2", "GET http://clinic.test:OPEN/redirect?302&http://clinic.test:OPEN/ok", SENT_ON),
    ("a name that leads elsewhere after it was judged", NAME, "clinic.test = 127.0.0.1 | 127.0.0.2", "GET http://clinic.test:OPEN/ok", WORKS),

    // Each redirect is decided anew.
    ("a redirect to another port", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://127.0.0.1:TRAP/", SENT_ON),
    ("a redirect for good to another port", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?301&http://127.0.0.1:TRAP/", SENT_ON),
    ("a redirect of a body to another port", "http://127.0.0.1:OPEN", "", "POST http://127.0.0.1:OPEN/redirect?307&http://127.0.0.1:TRAP/", SENT_ON),
    ("a redirect to another scheme", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?308&https://127.0.0.1:OPEN/", SENT_ON),
    ("a redirect to localhost", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://localhost:OPEN/", SENT_ON),
    ("a redirect without a scheme", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&//127.0.0.1:TRAP/", SENT_ON),
    ("a redirect with backslashes", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&\\\\127.0.0.1:TRAP/", SENT_ON),
    ("a redirect with one slash", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&https:/127.0.0.1:TRAP/", SENT_ON),
    ("a redirect in decimal", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://2130706433:TRAP/", SENT_ON),
    ("a redirect to mapped loopback", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://[::ffff:127.0.0.1]:OPEN/", SENT_ON),
    ("a redirect to a name for loopback", "http://127.0.0.1:OPEN http://clinic.test:TRAP", "clinic.test = 127.0.0.1", "GET http://127.0.0.1:OPEN/redirect?302&http://clinic.test:TRAP/", SENT_ON),
    ("a redirect to a private address", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://10.0.0.5/", SENT_ON),
    ("a redirect to the metadata service", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://169.254.169.254/latest/meta-data/", SENT_ON),
    ("a redirect to the metadata service over IPv6", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://[fd00:ec2::254]/latest/", SENT_ON),
    ("a redirect to another metadata service", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://100.100.100.200/latest/", SENT_ON),
    ("a second redirect to another port", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&/redirect?302&http://127.0.0.1:TRAP/", both(2, "denied")),
    ("a redirect with a user", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://u:p@127.0.0.1:OPEN/ok", SENT_NOWHERE),
    ("a redirect to a file", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&file:///etc/passwd", SENT_NOWHERE),
    ("a redirect to FTP", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&ftp://127.0.0.1:TRAP/", SENT_NOWHERE),
    ("a redirect to data", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&data:text/plain,x", SENT_NOWHERE),
    ("a redirect to port 0", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/redirect?302&http://127.0.0.1:0/", SENT_NOWHERE),
    ("a redirect to itself", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/loop", both(6, "302")),

    // Header fields that would name another server, or a second request.
    ("the name of another host", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok\nHost: evil.test", LEFT_OUT),
    ("a length that is too large", "http://127.0.0.1:OPEN", "", "POST http://127.0.0.1:OPEN/ok\nContent-Length: 5", INVALID),
    ("two lengths", "http://127.0.0.1:OPEN", "", "POST http://127.0.0.1:OPEN/ok\nContent-Length: 0\nContent-Length: 5", INVALID),
    ("a coding of the host's own", "http://127.0.0.1:OPEN", "", "POST http://127.0.0.1:OPEN/ok\nTransfer-Encoding: chunked", LEFT_OUT),
    ("a coding with an underscore", "http://127.0.0.1:OPEN", "", "POST http://127.0.0.1:OPEN/ok\nTransfer_Encoding: chunked", LEFT_OUT),
    ("an upgrade", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok\nConnection: upgrade\nUpgrade: h2c\nHTTP2-Settings: AAA", LEFT_OUT),
    ("a word with a proxy", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok\nProxy-Authorization: x\nProxy-Connection: keep-alive", LEFT_OUT),
    ("a second line in a value", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok\nX-A: 1CRLFHost: evil.test", INVALID),
    ("a second line in a name", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok\nX-ACRLFHost: evil.test", INVALID),
    ("a second request in the path", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN/ok%20HTTP/1.1%0d%0aHost:%20evil.test%0d%0a%0d%0aGET%20/", WORKS),
    ("another host in the path", "http://127.0.0.1:OPEN", "", "GET http://127.0.0.1:OPEN//evil.test:TRAP/", WORKS),
];

/// A name and the address that it leads to.
const NAME: &str = "http://clinic.test:OPEN http://127.0.0.1:OPEN";
/// Where the name leads.
const HERE: &str = "clinic.test = 127.0.0.1";
/// A name at a port where nothing may ever arrive.
const TRAP: &str = "http://clinic.test:TRAP";
/// The request for that name.
const ASK: &str = "GET http://clinic.test:TRAP/";
