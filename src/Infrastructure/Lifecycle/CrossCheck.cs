using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>How the pinned host key compares with what the machine printed to its own container log.</summary>
internal enum HostKeyVerdict
{
    Matches,

    /// <summary>The log did not come in time or names no key: trusted on first use, and marked so.</summary>
    NotChecked,

    /// <summary>The log names other keys: somebody sits between us and the machine.</summary>
    Differs,
}

/// <summary>
/// Reads the fingerprints a machine printed at its start through the provider, beside the SSH connection. The reading
/// begins as soon as the machine runs, so that it is usually done when SSH answers.
/// </summary>
internal sealed partial class CrossCheck(IOptions<LifecycleOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<InstanceId, Task<IReadOnlyList<string>>> _readings = new();

    public void Begin(Instance instance, IMarketplace market) => _ = Reading(instance, market);

    public async Task<HostKeyVerdict> VerdictAsync(Instance instance, IMarketplace market, string hostKey, CancellationToken ct)
    {
        var printed = await Reading(instance, market).WaitAsync(ct);
        _readings.TryRemove(instance.Id, out _);
        return printed.Count == 0 ? HostKeyVerdict.NotChecked : printed.Contains(hostKey) ? HostKeyVerdict.Matches : HostKeyVerdict.Differs;
    }

    private Task<IReadOnlyList<string>> Reading(Instance instance, IMarketplace market) =>
        _readings.GetOrAdd(instance.Id, _ => ReadAsync(instance.ContractId!, market));

    private async Task<IReadOnlyList<string>> ReadAsync(string contractId, IMarketplace market)
    {
        using var limit = new CancellationTokenSource(options.Value.CrossCheck, time);
        try
        {
            while (true)
            {
                try
                {
                    var log = await market.ReadContainerLogAsync(contractId, 400, limit.Token);
                    var printed = Fingerprint().Matches(log ?? "").Select(m => m.Groups[1].Value).Distinct().ToList();
                    if (printed.Count > 0)
                    {
                        return printed;
                    }
                }
                catch (MarketplaceException)
                {
                    // The provider's log service is beside the point of the rental: ask again while there is time.
                }

                await Task.Delay(Pause, time, CancellationToken.None); // short: the limit is looked at in between
                limit.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return [];
        }
    }

    [GeneratedRegex(@"gd-hostkey (SHA256:[A-Za-z0-9+/]{43})")]
    private static partial Regex Fingerprint();
}
