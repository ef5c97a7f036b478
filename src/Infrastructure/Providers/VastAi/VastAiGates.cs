using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>One gate per key and endpoint, for as long as the server runs. Keys are kept as hashes.</summary>
internal sealed class VastAiGates(IOptions<VastAiOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Account, VastAiEndpoint Endpoint), EndpointGate> _gates = new();

    public static string AccountOf(Market market, Secret key) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{market.BaseUrl}\n{key.Reveal()}")));

    public EndpointGate Of(string account, VastAiEndpoint endpoint, VastAiLimits limits) =>
        _gates.GetOrAdd((account, endpoint), _ => new EndpointGate(limits.Between(endpoint), limits.AfterRefusal(endpoint), options.Value.LongestQueue, time));
}

/// <summary>Lets calls through one by one with a least time between them. Calls queue in order of arrival.</summary>
internal sealed class EndpointGate(TimeSpan between, TimeSpan afterRefusal, TimeSpan longestQueue, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private TimeSpan _free; // since _origin: when the next call may go

    /// <summary>Returns when the call may be sent. A caller that gives up leaves its place empty; those behind it do not move up.</summary>
    /// <exception cref="RateLimitedException">The wait would be longer than a caller should hang; nothing was sent.</exception>
    public async Task PassAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_origin);
            wait = _free > now ? _free - now : TimeSpan.Zero;
            if (wait > longestQueue)
            {
                throw new RateLimitedException($"Not asked: the provider wants no such call for another {wait.TotalSeconds:0} s.", wait);
            }

            _free = now + wait + between;
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, ct);
        }
    }

    /// <summary>The provider said "too often": nobody passes for <paramref name="pause"/>, or as long as is known to be the penalty.</summary>
    public void Close(TimeSpan? pause)
    {
        lock (_lock)
        {
            var until = time.GetElapsedTime(_origin) + (pause ?? afterRefusal);
            _free = until > _free ? until : _free;
        }
    }
}
