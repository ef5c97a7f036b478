using System.Collections.Concurrent;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Infrastructure.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

/// <summary>The production registration, with everything logged at Trace and times short enough to test.</summary>
internal sealed class VastAiHarness : IAsyncDisposable
{
    public const string Key = "canary-7f3d90b2c41e4a58";

    private readonly ServiceProvider _services;

    public VastAiHarness(IEnumerable<KeyValuePair<string, string?>>? settings = null, TimeProvider? time = null)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new("Providers:VastAi:FirstRetryDelay", "00:00:00.010"),
                new("Providers:VastAi:CallTimeout", "00:00:05"),
            ])
            .AddInMemoryCollection(settings)
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        services.AddMarketplaces(configuration);
        _services = services.BuildServiceProvider();
    }

    public EverythingLogged Log { get; } = new();

    public ProviderRequestLog Requests => _services.GetRequiredService<ProviderRequestLog>();

    public ICredentialVault Vault => _services.GetRequiredService<ICredentialVault>();

    public IMarketplaces Marketplaces => _services.GetRequiredService<IMarketplaces>();

    public static Market MarketAt(string baseUrl, bool simulated = true) => new(Provider.VastAi, baseUrl, simulated);

    public IMarketplace At(ScriptedProvider provider, bool simulated = true) => Marketplaces.For(MarketAt(provider.BaseUrl, simulated), new Secret(Key));

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

/// <summary>Every log message, its state, scopes and exceptions, as one text.</summary>
internal sealed class EverythingLogged : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _lines.Enqueue($"{state}");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var parts = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
        _lines.Enqueue($"{logLevel} {formatter(state, exception)} {parts} {exception}");
    }

    public void Dispose()
    {
    }
}

/// <summary>Rows as the service is documented to send them, and what we rent with.</summary>
internal static class Sample
{
    public const string Label = "gd1-k7m2q9xd-01k9zq3m5v8r2t6w0y4b1c7d3e-5f8n2p7h";

    public static string Offer { get; } = Recorded.Read("offers", "offers").GetRawText();

    public static string Instance { get; } = Recorded.Read("instance", "instances").GetRawText();

    public static OfferQuery Query => new() { DiskGb = 40 };

    public static LaunchSpec Launch => new() { Label = Label, Image = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", DiskGb = 40, OnStart = "true" };

    public static Offer AnOffer => new()
    {
        Id = "45120077", MachineId = "30412", GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = new HourlyRate(361_200),
        DiskRate = new HourlyRate(8_333), StorageUsdPerGbMonth = 0.15m, DownloadPerGb = new Money(3_000), UploadPerGb = new Money(3_000), DiskGb = 812.4m,
    };

    /// <summary>The sample with some fields replaced, added, or (null) taken away.</summary>
    public static string With(string row, params (string Field, System.Text.Json.Nodes.JsonNode? Value)[] changes)
    {
        var changed = System.Text.Json.Nodes.JsonNode.Parse(row)!.AsObject();
        foreach (var (field, value) in changes)
        {
            changed[field] = value;
        }

        return changed.ToJsonString();
    }

    public static Reply Offers(params string[] rows) => new(200, $$"""{"offers":[{{string.Join(',', rows)}}]}""");

    public static Reply Page(string[] rows, int? total = null, string? next = null) =>
        new(200, $$"""{"success":true,"instances_found":{{rows.Length}},"total_instances":{{total ?? rows.Length}},"label_counts":{},"next_token":{{(next is null ? "null" : $"\"{next}\"")}},"instances":[{{string.Join(',', rows)}}]}""");
}
