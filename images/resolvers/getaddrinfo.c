/* Prints the addresses of a name, one a line, as the C library that it is linked with resolves them: getaddrinfo NAME */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct addrinfo hints, *list, *at;
	char text[INET6_ADDRSTRLEN];
	int code;

	if (argc != 2)
		return 2;
	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	code = getaddrinfo(argv[1], NULL, &hints, &list);
	if (code != 0) {
		printf("%s\n", gai_strerror(code));
		return 1;
	}
	for (at = list; at; at = at->ai_next) {
		void *address = at->ai_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)at->ai_addr)->sin6_addr
							  : (void *)&((struct sockaddr_in *)at->ai_addr)->sin_addr;
		puts(inet_ntop(at->ai_family, address, text, sizeof text));
	}
	return 0;
}
