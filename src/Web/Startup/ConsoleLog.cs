using Microsoft.Extensions.Logging.Console;

namespace Dashboard.Web.Startup;

/// <summary>Where the log goes, and what it must never hold.</summary>
internal static class ConsoleLog
{
    // Below Information these print what browsers send over a circuit, keys that are being typed included.
    private static readonly string[] Talkative = ["Microsoft.AspNetCore.SignalR", "Microsoft.AspNetCore.Components", "Microsoft.AspNetCore.Http.Connections"];

    public static void AddConsoleLog(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        if (builder.Environment.IsDevelopment())
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
        else
        {
            builder.Logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        }

        // After configuration, so that no setting can open them.
        builder.Services.PostConfigure<LoggerFilterOptions>(filters =>
        {
            var opened = filters.Rules.Where(rule => rule.LogLevel < LogLevel.Information && rule.CategoryName is { } name && Talkative.Any(t => name.StartsWith(t, StringComparison.OrdinalIgnoreCase))).ToList();
            opened.ForEach(rule => filters.Rules.Remove(rule));
            foreach (var category in Talkative)
            {
                if (!filters.Rules.Any(rule => rule.CategoryName == category))
                {
                    filters.Rules.Add(new LoggerFilterRule(providerName: null, category, LogLevel.Information, filter: null));
                }
            }
        });
    }
}
