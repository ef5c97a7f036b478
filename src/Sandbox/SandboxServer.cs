using System.Globalization;
using System.Net;
using System.Text;
using Dashboard.Sandbox.Containers;
using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.State;

namespace Dashboard.Sandbox;

/// <summary>The HTTP side: loopback only, whatever name is dialled.</summary>
internal static class SandboxServer
{
    private static readonly TimeSpan PatienceWithOpenRequests = TimeSpan.FromMilliseconds(300);

    public static async Task RunAsync(
        SandboxOptions options, ContainerOptions host, HostTools tools, StateFile stateFile, MarketState state, string? controlToken, TimeProvider time)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{options.Port}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(address);
        builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        builder.Services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = PatienceWithOpenRequests);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(stateFile);
        builder.Services.AddSingleton(new RentalMarket(options.Market, MachinePark.Draw(options.Seed), state));
        builder.Services.AddSingleton(new ContainerFleet(host, tools, time));
        builder.Services.AddSingleton<LiveMarket>();
        builder.Services.AddSingleton<RequestLog>();
        builder.Services.AddSingleton(new Accounts(Path.Combine(options.Data, "accounts.json"), state.AccountApiKey));
        builder.Services.AddSingleton(new Switches(Path.Combine(options.Data, "switches.json"), options.Limits));
        builder.Services.AddSingleton<Limits>();
        builder.Services.AddSingleton<FaultBoard>();
        builder.Services.AddSingleton(new LogShelf(time, options.LogDelay, address));
        await using var app = builder.Build();

        app.Use(LogRequestsAsync);
        app.Use(OnlyLoopbackNamesAsync);
        app.UseMiddleware<FaultGate>();
        app.UseMiddleware<LimitGate>();
        app.UseMiddleware<Gate>();
        app.MapAccount();
        app.MapApiKeys();
        app.MapOffers();
        app.MapInstances();
        app.MapGet("/sandbox/health", () => Reply.Ok(new WireRow { ["name"] = "dashboard-sandbox", ["pid"] = Environment.ProcessId, ["market"] = "sandbox" }));
        if (controlToken is not null)
        {
            app.MapControl(controlToken);
        }

        var live = app.Services.GetRequiredService<LiveMarket>();
        await live.OpenAsync(CancellationToken.None);
        try
        {
            PrivateFile.Replace(Path.Combine(options.Data, "account.key"), Encoding.ASCII.GetBytes(app.Services.GetRequiredService<Accounts>().FullKeyOf(MarketState.FirstAccount) + "\n"));
            PrivateFile.Replace(Path.Combine(options.Data, "sandbox.pid"), Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
            await app.StartAsync();
            Console.WriteLine($"The sandbox marketplace listens on {address}");
            await app.WaitForShutdownAsync();
        }
        finally
        {
            await live.DisposeAsync();
            File.Delete(Path.Combine(options.Data, "sandbox.pid"));
        }
    }

    // Path only: queries may carry a key.
    private static async Task LogRequestsAsync(HttpContext context, RequestDelegate next)
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        try
        {
            await next(context);
        }
        finally
        {
            context.RequestServices.GetRequiredService<RequestLog>().Add(new LoggedRequest(time.GetUtcNow(), context.Request.Method, context.Request.Path, context.Response.StatusCode)
            {
                KeyId = context.Items[typeof(Caller)] is Caller.Account account ? account.Key.Id : null,
                Faults = [.. FaultGate.Of(context).Select(fault => FaultEndpoints.NameOf(fault.Kind))],
            });
        }
    }

    // A page in somebody's browser may send requests here under a name of its own that resolves to loopback.
    private static async Task OnlyLoopbackNamesAsync(HttpContext context, RequestDelegate next)
    {
        var name = context.Request.Host.Host;
        if (name == "localhost" || (IPAddress.TryParse(name.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)))
        {
            await next(context);
            return;
        }

        await Reply.Failure(StatusCodes.Status403Forbidden, "invalid_host", "The sandbox answers on loopback names only.").ExecuteAsync(context);
    }
}
