using Dashboard.Web.Startup;
using Microsoft.Extensions.Options;

const int badConfiguration = 78; // EX_CONFIG

try
{
    // Configuration and web assets lie beside the program; the data directory is relative to where it was started.
    var command = DataCommands.IsOne(args);
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = command ? [] : args, ContentRootPath = AppContext.BaseDirectory });
    var settings = ServerSettings.Read(builder.Configuration, builder.Environment.IsProduction());
    if (command)
    {
        return await DataCommands.RunAsync(args, settings, Console.Out, Console.Error);
    }

    using var held = DataDirectoryLock.Take(settings.DataDirectory);
    await using var app = await DashboardApp.OpenAsync(builder, settings, CancellationToken.None);
    await app.RunAsync();
    return 0;
}
catch (Exception fault) when (fault is ConfigurationFault or OptionsValidationException)
{
    await Console.Error.WriteLineAsync(fault.Message);
    return badConfiguration;
}
