using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.SetUp;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Startup;

/// <summary>What has to be true before the first request: a database of this version, an identity towards providers, an owner or a way to become one.</summary>
internal sealed partial class OpenInstallation(
    DatabaseStart start, InstallationIdentity identity, Quarantine quarantine, AppDatabase database, BootstrapOwner bootstrap, SetUpCode setUp, ServerSettings settings,
    IServer server, IHostApplicationLifetime lifetime, ILogger<OpenInstallation> log)
{
    public async Task RunAsync(CancellationToken ct)
    {
        quarantine.Sight(settings.Database);
        await start.RunAsync(ct);
        await identity.OpenAsync(ct);
        await quarantine.OpenAsync(ct);
        await using var db = await database.ForSystemAsync(ct);
        if (await db.Users.AnyAsync(ct))
        {
            setUp.Close(); // what an earlier start may have left behind
        }
        else if (!await bootstrap.RunAsync(ct))
        {
            lifetime.ApplicationStarted.Register(() =>
            {
                var address = setUp.Open(Address());
                SetUpAddress(address);
            });
        }
    }

    // With a public address people come that way; else by the port that was really bound.
    private string Address()
    {
        var bound = server.Features.Get<IServerAddressesFeature>()!.Addresses.Select(BindingAddress.Parse).FirstOrDefault();
        return settings.PublicUrl.Host != "localhost" || bound is null ? settings.PublicUrl.ToString() : $"http://localhost:{bound.Port}";
    }

    [LoggerMessage(EventId = 3101, Level = LogLevel.Information, Message = "Nobody owns this dashboard yet. Open {Address}")]
    private partial void SetUpAddress(string address);
}
