using System.Security.Claims;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Auth;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Site;

/// <summary>A machine that wears our label and is in no row.</summary>
public sealed record UnknownMachineRow(long Id, string Connection, string ContractId, string Label, Domain.Costs.HourlyRate Rate, DateTimeOffset FirstSeenAt, UnknownMachineChoice Choice);

/// <summary>A site administrator has looked: this is the one copy in use, and this is what becomes of the machines it does not know.</summary>
public sealed class ConfirmInstallation(AppDatabase database, Quarantine quarantine, LifecycleSignal signal)
{
    /// <summary>Those that are still listed, of all teams: their number and price are the site's business, what runs on them is not shown.</summary>
    public async Task<IReadOnlyList<UnknownMachineRow>> UnknownAsync(CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        return await (from machine in db.UnknownMachines.AsNoTracking()
                      join connection in db.Connections.AsNoTracking() on machine.ConnectionId equals connection.Id
                      where machine.GoneAt == null
                      orderby machine.FirstSeenAt
                      select new UnknownMachineRow(machine.Id, connection.Name, machine.ContractId, machine.Label, machine.Rate, machine.FirstSeenAt, machine.Choice)).ToListAsync(ct);
    }

    /// <returns>False: there was no quarantine any more.</returns>
    /// <exception cref="UnauthorizedAccessException">The person is no site administrator.</exception>
    public async Task<bool> RunAsync(ClaimsPrincipal person, bool destroyUnknown, CancellationToken ct)
    {
        await RequireAsync(person, ct);
        var confirmed = await quarantine.ConfirmAsync(destroyUnknown ? UnknownMachineChoice.Destroy : UnknownMachineChoice.Leave, ct);
        signal.Wake();
        return confirmed;
    }

    /// <summary>Destroys machines that were left alone before, for good.</summary>
    /// <exception cref="UnauthorizedAccessException">The person is no site administrator.</exception>
    public async Task DestroyLeftAsync(ClaimsPrincipal person, CancellationToken ct)
    {
        await RequireAsync(person, ct);
        await using var db = await database.ForSystemAsync(ct);
        await db.UnknownMachines.Where(m => m.GoneAt == null && m.Choice == UnknownMachineChoice.Leave).ExecuteUpdateAsync(set => set.SetProperty(m => m.Choice, UnknownMachineChoice.Destroy), ct);
        signal.Wake();
    }

    private async Task RequireAsync(ClaimsPrincipal person, CancellationToken ct)
    {
        if (!await SiteAdministrators.IsOneAsync(person, database, ct))
        {
            throw new UnauthorizedAccessException();
        }
    }
}
