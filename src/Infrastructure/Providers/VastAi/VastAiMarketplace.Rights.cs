using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>What a key may do. The provider has no call that says so; each of its scopes guards one of these calls.</summary>
internal sealed partial class VastAiMarketplace
{
    private const string NoContract = "0"; // contract ids begin above it
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(10);

    public async Task<KeyProbe> ProbeRightsAsync(CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(ProbePatience, _clients.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        var token = either.Token;
        var now = _clients.Time.GetUtcNow();
        var found = await Task.WhenAll(
            TryAsync(KeyRights.ReadAccount, () => GetAccountAsync(token)), // scope user_read
            TryAsync(KeyRights.SearchOffers, () => SearchAsync(new OfferQuery { DiskGb = 10, Limit = 1 }, token)), // misc
            TryAsync(KeyRights.ReadMachines, () => AskAsync(VastAiEndpoint.List, call => _repeatable.ListAsync(1, """[{"col":"id","dir":"asc"}]""", null, null, call, token), token)), // instance_read
            TryAsync(KeyRights.ControlMachines, () => AskAsync(VastAiEndpoint.StateChange, call => _repeatable.ChangeStateAsync(NoContract, new WireState("stopped"), call, token), token)), // instance_write
            TryAsync(KeyRights.ReadCharges, () => GetChargesAsync(now, now, token))); // billing_read
        ct.ThrowIfCancellationRequested();
        return new KeyProbe(found.Aggregate(KeyRights.None, (all, one) => all | one.Granted), found.Aggregate(KeyRights.None, (all, one) => all | one.Refused));
    }

    private static async Task<KeyProbe> TryAsync(KeyRights right, Func<Task> call)
    {
        try
        {
            await call();
            return new KeyProbe(right, KeyRights.None);
        }
        catch (InstanceGoneException)
        {
            return new KeyProbe(right, KeyRights.None); // "no such machine" is said to those who may ask
        }
        catch (CredentialRejectedException)
        {
            return new KeyProbe(KeyRights.None, right);
        }
        catch (Exception error) when (error is MarketplaceException or OperationCanceledException)
        {
            return default;
        }
    }
}
