using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Egress;

/// <summary>The one way to ask an address that a user or a provider gave us: public addresses only, no redirects, no credentials, size and time capped.</summary>
internal sealed class EgressClient(IOptions<EgressOptions> options, TimeProvider time)
{
    /// <summary>Fetches <paramref name="address"/>. Any status is an answer, redirects included.</summary>
    /// <param name="address">https, or http where the host is an exception.</param>
    /// <param name="maxBytes">Longest body accepted.</param>
    /// <param name="timeout">Until the whole body is here.</param>
    /// <param name="trusted">An origin whose host and port are an exception for this call: the provider's own base address.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="EgressRefusedException">The address is not one we fetch, or its body is too long.</exception>
    /// <exception cref="HttpRequestException">No complete answer.</exception>
    public async Task<EgressReply> GetAsync(Uri address, int maxBytes, TimeSpan timeout, Uri? trusted, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        return await SendAsync(request, maxBytes, timeout, trusted, ct);
    }

    /// <summary>Sends <paramref name="content"/> once. Any status is an answer, redirects included.</summary>
    /// <exception cref="EgressRefusedException">The address is not one we ask, or its answer is too long.</exception>
    /// <exception cref="HttpRequestException">No complete answer; it may have arrived.</exception>
    public async Task<EgressReply> PostAsync(Uri address, HttpContent content, IReadOnlyDictionary<string, string> headers, int maxBytes, TimeSpan timeout, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await SendAsync(request, maxBytes, timeout, trusted: null, ct);
    }

    /// <summary>Whether an address is of a form that is asked at all; where it leads is seen when it is.</summary>
    public bool MayAsk(Uri address) => MayAsk(address, IsExempt(address, trusted: null));

    private static bool MayAsk(Uri address, bool exempt) =>
        address.IsAbsoluteUri && (address.Scheme == Uri.UriSchemeHttps || (exempt && address.Scheme == Uri.UriSchemeHttp)) && address.UserInfo.Length == 0;

    private async Task<EgressReply> SendAsync(HttpRequestMessage request, int maxBytes, TimeSpan timeout, Uri? trusted, CancellationToken ct)
    {
        var address = request.RequestUri!;
        var exempt = IsExempt(address, trusted);
        if (!MayAsk(address, exempt))
        {
            throw new EgressRefusedException("Only https addresses without credentials are fetched.");
        }

        // A handler per call: a kept connection of an exempt call must not serve one that is not.
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false, // through a proxy the callback below would see the proxy's address
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = 32,
            ConnectCallback = (context, token) => ConnectAsync(context.DnsEndPoint, exempt, token),
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return new EgressReply(response.StatusCode, await ReadAsync(response, maxBytes, either.Token), RetryAfter(response));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"No complete answer within {timeout.TotalSeconds:0} s.");
        }
        catch (IOException error)
        {
            throw new HttpRequestException("The answer broke off.", error);
        }
        catch (HttpRequestException error) when (error.InnerException is EgressRefusedException refused)
        {
            throw refused;
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - time.GetUtcNow() : null;

    private bool IsExempt(Uri address, Uri? trusted) => address.IsAbsoluteUri
        && ((trusted is not null && SameHost(address.Host, trusted.Host) && address.Port == trusted.Port)
            || options.Value.AllowedPrivateHosts.Any(allowed => SameHost(allowed, address.Host) || SameHost(allowed, $"{address.Host}:{address.Port}")));

    private static bool SameHost(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    // Checked here and not before: between a look-up of ours and one of the handler's the name could change its address.
    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint end, bool exempt, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(end.Host, ct);
        var allowed = exempt ? addresses : Array.FindAll(addresses, PublicAddresses.IsPublic);
        if (allowed.Length == 0)
        {
            throw new EgressRefusedException($"{end.Host} has no public address.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, end.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        using var kept = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(chunk, ct)) > 0)
        {
            if (kept.Length + read > maxBytes)
            {
                throw new EgressRefusedException($"The answer is longer than {maxBytes} bytes.");
            }

            kept.Write(chunk, 0, read);
        }

        return kept.ToArray();
    }
}

/// <param name="RetryAfter">When it wants to be asked again, if it said so.</param>
internal sealed record EgressReply(HttpStatusCode Status, byte[] Body, TimeSpan? RetryAfter);

/// <summary>The address is not one this server fetches, or what it holds is too big. Asking again does not help.</summary>
internal sealed class EgressRefusedException(string message) : Exception(message);
