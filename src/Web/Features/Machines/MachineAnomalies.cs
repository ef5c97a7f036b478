using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Machines;

/// <param name="Title">What is off.</param>
/// <param name="Detail">Which number, against what.</param>
internal sealed record MachineAnomaly(string Title, Said Detail);

/// <summary>What the inbox has about machines: their pages say the same.</summary>
internal static class MachineAnomalies
{
    public static async Task<ILookup<InstanceId, MachineAnomaly>> OpenAsync(AppDbContext db, IReadOnlyCollection<InstanceId> machines, CancellationToken ct)
    {
        var keys = machines.SelectMany(id => InboxKinds.OfMachines.Select(kind => (Key: $"{kind}/{id}", Id: id))).ToDictionary(k => k.Key, k => k.Id);
        var wanted = keys.Keys.ToList();
        var open = await db.Inbox.AsNoTracking().Where(i => i.ResolvedAt == null && wanted.Contains(i.Key)).OrderBy(i => i.Since).Select(i => new { i.Key, i.Title, i.Detail }).ToListAsync(ct);
        return open.ToLookup(i => keys[i.Key], i => new MachineAnomaly(i.Title, i.Detail));
    }
}
